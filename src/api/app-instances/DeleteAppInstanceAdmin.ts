import { forbidden } from '../../contract/api-error.ts'
import { path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'

/** The user and its memberships stay. The last admin can be removed, too. */
export const DeleteAppInstanceAdmin = operation({
  name: 'DeleteAppInstanceAdmin',
  http: 'DELETE /app-instances/{AppInstanceArn}/admins/{AppInstanceAdminArn} 204',
  input: { AppInstanceArn: path(ChimeArn), AppInstanceAdminArn: path(ChimeArn) },
  output: {},
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['AppInstanceArn', 'AppInstanceAdminArn'],
  audited: [],
  allow: byCredentialsAlone,
  async handle({ AppInstanceArn, AppInstanceAdminArn }, { store }) {
    const text = 'DELETE FROM app_instance_admin WHERE app_instance_arn = $1 AND admin_arn = $2'
    return store.transaction(async (transaction) => {
      const deleted = await transaction.run(text, AppInstanceArn, AppInstanceAdminArn)
      if (deleted === 0) throw forbidden()
      return {}
    }, 'read committed')
  },
})
