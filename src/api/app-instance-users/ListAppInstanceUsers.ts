import Type from 'typebox'
import { optional, query } from '../../contract/binding.ts'
import { ChimeArn, NextToken } from '../../contract/shapes.ts'
import { AppInstanceUserSummary } from '../../contract/structures/app-instance-users.ts'
import { byCredentialsAlone } from '../access.ts'
import { requireAppInstance } from '../app-instances/app-instance.ts'
import { operation } from '../context.ts'
import { pageMembers, readPage } from '../paging.ts'
import { type AppInstanceUserRow, appInstanceUserSummary } from './app-instance-user.ts'

/** In the order of creation. */
export const ListAppInstanceUsers = operation({
  name: 'ListAppInstanceUsers',
  http: 'GET /app-instance-users 200',
  input: { AppInstanceArn: query('app-instance-arn', ChimeArn), ...pageMembers },
  output: {
    AppInstanceArn: optional(ChimeArn),
    AppInstanceUsers: optional(Type.Array(AppInstanceUserSummary)),
    NextToken: optional(NextToken),
  },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['AppInstanceArn'],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { AppInstanceArn } = input
    await requireAppInstance(context.read, AppInstanceArn)
    const { page, NextToken } = await readPage(context, input, {
      start: 0,
      rowsAfter: (userId, rowsMax) =>
        context.read.all<AppInstanceUserRow>(
          `SELECT * FROM app_instance_user WHERE app_instance_arn = $1 AND deleted_at IS NULL AND user_id > $2
           ORDER BY user_id LIMIT $3`,
          AppInstanceArn,
          userId,
          rowsMax,
        ),
      positionOf: (user) => user.user_id,
    })
    return { AppInstanceArn, AppInstanceUsers: page.map(appInstanceUserSummary), NextToken }
  },
})
