import { optional, path } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { AppInstance } from '../../contract/structures/app-instances.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { appInstanceToWire, requireAppInstance } from './app-instance.ts'

export const DescribeAppInstance = operation({
  name: 'DescribeAppInstance',
  http: 'GET /app-instances/{AppInstanceArn} 200',
  input: { AppInstanceArn: path(ChimeArn) },
  output: { AppInstance: optional(AppInstance) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['AppInstanceArn'],
  allow: byCredentialsAlone,
  async handle({ AppInstanceArn }, { read }) {
    return { AppInstance: appInstanceToWire(await requireAppInstance(read, AppInstanceArn)) }
  },
})
