import { conflict } from '../../contract/api-error.ts'
import { optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { Identity } from '../../contract/structures/identity.ts'
import { byCredentialsAlone } from '../access.ts'
import { identityOf, requireUserOf } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { requireFew } from '../quotas.ts'
import { requireAppInstance } from './app-instance.ts'

export const CreateAppInstanceAdmin = operation({
  name: 'CreateAppInstanceAdmin',
  http: 'POST /app-instances/{AppInstanceArn}/admins 201',
  input: { AppInstanceArn: path(ChimeArn), AppInstanceAdminArn: ChimeArn },
  output: { AppInstanceAdmin: optional(Identity), AppInstanceArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['AppInstanceArn', 'AppInstanceAdminArn'],
  audited: [],
  allow: byCredentialsAlone,
  async handle({ AppInstanceArn, AppInstanceAdminArn }, { store, now }) {
    return store.transaction(async (transaction) => {
      await requireAppInstance(transaction, AppInstanceArn)
      const user = await requireUserOf(transaction, AppInstanceArn, AppInstanceAdminArn)
      // Locks the user: an admin row after its deletion would make its next incarnation an admin.
      await transaction.run('UPDATE app_instance_user SET memberships = memberships WHERE user_id = $1', user.user_id)
      const inserted = await transaction.insertOnce('app_instance_admin', {
        app_instance_arn: AppInstanceArn,
        admin_arn: AppInstanceAdminArn,
        created_at: now(),
      })
      if (!inserted) throw conflict('The user is an AppInstanceAdmin already')
      const admins = 'FROM app_instance_admin WHERE app_instance_arn = $1'
      await requireFew(transaction, 'adminsPerAppInstance', admins, AppInstanceArn)
      return { AppInstanceAdmin: identityOf(user), AppInstanceArn }
    })
  },
})
