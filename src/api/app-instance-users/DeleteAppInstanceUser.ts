import { forbidden } from '../../contract/api-error.ts'
import { path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { requireUser } from './app-instance-user.ts'
import { markUserDeleted } from './mark-user-deleted.ts'

/**
 * The user cannot be a bearer from then on. Each membership ends with an event. The user's messages stay, with its name.
 */
export const DeleteAppInstanceUser = operation({
  name: 'DeleteAppInstanceUser',
  http: 'DELETE /app-instance-users/{AppInstanceUserArn} 204',
  input: { AppInstanceUserArn: path(ChimeArn) },
  output: {},
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['AppInstanceUserArn'],
  audited: [],
  allow: byCredentialsAlone,
  async handle({ AppInstanceUserArn }, { store, now }) {
    return store.transaction(async (transaction) => {
      const user = await requireUser(transaction, AppInstanceUserArn)
      if (!(await markUserDeleted(transaction, user, now()))) throw forbidden()
      return {}
    })
  },
})
