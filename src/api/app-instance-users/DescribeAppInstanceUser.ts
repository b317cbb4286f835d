import { optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { AppInstanceUser } from '../../contract/structures/app-instance-users.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { appInstanceUserToWire, requireUser } from './app-instance-user.ts'

export const DescribeAppInstanceUser = operation({
  name: 'DescribeAppInstanceUser',
  http: 'GET /app-instance-users/{AppInstanceUserArn} 200',
  input: { AppInstanceUserArn: path(ChimeArn) },
  output: { AppInstanceUser: optional(AppInstanceUser) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['AppInstanceUserArn'],
  allow: byCredentialsAlone,
  async handle({ AppInstanceUserArn }, { read }) {
    return { AppInstanceUser: appInstanceUserToWire(await requireUser(read, AppInstanceUserArn)) }
  },
})
