import { optional, path } from '../../contract/binding.ts'
import { ChimeArn, Timestamp } from '../../contract/shapes.ts'
import { AppInstanceRetentionSettings } from '../../contract/structures/app-instances.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { requireAppInstance } from './app-instance.ts'
import { findRetention, retentionToWire } from './retention.ts'

export const GetAppInstanceRetentionSettings = operation({
  name: 'GetAppInstanceRetentionSettings',
  http: 'GET /app-instances/{AppInstanceArn}/retention-settings 200',
  input: { AppInstanceArn: path(ChimeArn) },
  output: {
    AppInstanceRetentionSettings: optional(AppInstanceRetentionSettings),
    InitiateDeletionTimestamp: optional(Timestamp),
  },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['AppInstanceArn'],
  allow: byCredentialsAlone,
  async handle({ AppInstanceArn }, { read }) {
    await requireAppInstance(read, AppInstanceArn)
    return retentionToWire(await findRetention(read, AppInstanceArn))
  },
})
