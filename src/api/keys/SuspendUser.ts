import Type from 'typebox'
import { path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { suspendUser } from '../../keys/access-keys.ts'
import { byCredentialsAlone } from '../access.ts'
import { requireUser } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'

/** Suspends all keys of the user, also those that are created later, and closes its sessions. */
export const SuspendUser = operation({
  name: 'SuspendUser',
  service: 'carillon',
  http: 'POST /carillon/v1/users/{AppInstanceUserArn}?operation=suspend 200',
  input: { AppInstanceUserArn: path(ChimeArn) },
  output: { Changed: Type.Boolean() },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['AppInstanceUserArn'],
  audited: [],
  allow: byCredentialsAlone,
  async handle({ AppInstanceUserArn }, { store, now }) {
    const at = now()
    const Changed = await store.transaction(async (transaction) => {
      await requireUser(transaction, AppInstanceUserArn)
      return suspendUser(transaction, AppInstanceUserArn, at)
    })
    return { Changed }
  },
})
