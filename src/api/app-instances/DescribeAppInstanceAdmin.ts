import { forbidden } from '../../contract/api-error.ts'
import { optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { AppInstanceAdmin } from '../../contract/structures/app-instances.ts'
import { byCredentialsAlone } from '../access.ts'
import { identityOf } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { epochSeconds } from '../times.ts'
import { type AdminRow, adminsOf } from './app-instance-admin.ts'

export const DescribeAppInstanceAdmin = operation({
  name: 'DescribeAppInstanceAdmin',
  http: 'GET /app-instances/{AppInstanceArn}/admins/{AppInstanceAdminArn} 200',
  input: { AppInstanceArn: path(ChimeArn), AppInstanceAdminArn: path(ChimeArn) },
  output: { AppInstanceAdmin: optional(AppInstanceAdmin) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['AppInstanceArn', 'AppInstanceAdminArn'],
  allow: byCredentialsAlone,
  async handle({ AppInstanceArn, AppInstanceAdminArn }, { read }) {
    const text = `${adminsOf} AND admin_arn = $2`
    const admin = await read.get<AdminRow>(text, AppInstanceArn, AppInstanceAdminArn)
    if (!admin) throw forbidden()
    const CreatedTimestamp = epochSeconds(admin.created_at)
    return { AppInstanceAdmin: { Admin: identityOf(admin), AppInstanceArn, CreatedTimestamp } }
  },
})
