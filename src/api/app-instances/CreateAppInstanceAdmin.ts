import { conflict } from '../../contract/api-error.ts'
import { optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { Identity } from '../../contract/structures.ts'
import { byCredentialsAlone } from '../access.ts'
import { findUserOf, identityOf } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { requireWithinQuota } from '../quotas.ts'
import { findAppInstance } from './app-instance.ts'

export const CreateAppInstanceAdmin = operation({
  name: 'CreateAppInstanceAdmin',
  http: 'POST /app-instances/{AppInstanceArn}/admins 201',
  input: { AppInstanceArn: path(ChimeArn), AppInstanceAdminArn: ChimeArn },
  output: { AppInstanceAdmin: optional(Identity), AppInstanceArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  allow: byCredentialsAlone,
  async handle({ AppInstanceArn, AppInstanceAdminArn }, { store, now }) {
    return store.transaction(async (transaction) => {
      await findAppInstance(transaction, AppInstanceArn)
      const user = await findUserOf(transaction, AppInstanceArn, AppInstanceAdminArn)
      const inserted = await transaction.run(
        'INSERT INTO app_instance_admin VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
        AppInstanceArn,
        AppInstanceAdminArn,
        now(),
      )
      if (inserted === 0) throw conflict('The user is an AppInstanceAdmin already')
      const admins = 'FROM app_instance_admin WHERE app_instance_arn = $1'
      await requireWithinQuota(transaction, 'adminsPerAppInstance', admins, AppInstanceArn)
      return { AppInstanceAdmin: identityOf(user), AppInstanceArn }
    })
  },
})
