import Type from 'typebox'
import { optional, path } from '../../contract/binding.ts'
import { ChimeArn, NextToken } from '../../contract/shapes.ts'
import { AppInstanceAdminSummary } from '../../contract/structures/app-instances.ts'
import { byCredentialsAlone } from '../access.ts'
import { identityOf } from '../app-instance-users/app-instance-user.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'
import { requireAppInstance } from './app-instance.ts'
import { type AdminRow, adminsOf } from './app-instance-admin.ts'

/** In the order of the ARNs: AWS documents no order, and this one never changes. */
export const ListAppInstanceAdmins = operation({
  name: 'ListAppInstanceAdmins',
  http: 'GET /app-instances/{AppInstanceArn}/admins 200',
  input: { AppInstanceArn: path(ChimeArn), ...pageMembers },
  output: {
    AppInstanceArn: optional(ChimeArn),
    AppInstanceAdmins: optional(Type.Array(AppInstanceAdminSummary)),
    NextToken: optional(NextToken),
  },
  errors: ['BadRequest', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['AppInstanceArn'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { AppInstanceArn } = input
    await requireAppInstance(context.read, AppInstanceArn)
    const { page, NextToken } = await readPage(context, input, {
      start: '',
      rowsAfter: (arn, rowsMax) => {
        const text = `${adminsOf} AND admin_arn > $2 ORDER BY admin_arn LIMIT $3`
        return context.read.all<AdminRow>(text, AppInstanceArn, arn, rowsMax)
      },
      positionOf: (admin) => admin.app_instance_user_arn,
    })
    return { AppInstanceArn, AppInstanceAdmins: page.map((admin) => ({ Admin: identityOf(admin) })), NextToken }
  },
})
