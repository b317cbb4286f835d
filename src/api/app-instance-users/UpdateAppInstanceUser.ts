import { optional, path } from '../../contract/binding.ts'
import { ChimeArn, Metadata, UserName } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { toJsonText } from '../json-text.ts'
import { requireUser } from './app-instance-user.ts'

/**
 * Replaces name and metadata: AWS requires both. Lists of members show the new name. Messages keep the name that their
 * sender had, and no session is notified.
 */
export const UpdateAppInstanceUser = operation({
  name: 'UpdateAppInstanceUser',
  http: 'PUT /app-instance-users/{AppInstanceUserArn} 200',
  input: { AppInstanceUserArn: path(ChimeArn), Name: UserName, Metadata },
  output: { AppInstanceUserArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['AppInstanceUserArn'],
  allow: byCredentialsAlone,
  async handle({ AppInstanceUserArn, Name, Metadata }, { store, now }) {
    return store.transaction(async (transaction) => {
      const user = await requireUser(transaction, AppInstanceUserArn)
      await transaction.run(
        'UPDATE app_instance_user SET name = $2, metadata = $3, updated_at = $4 WHERE user_id = $1',
        user.user_id,
        toJsonText(Name),
        toJsonText(Metadata),
        now(),
      )
      return { AppInstanceUserArn }
    })
  },
})
