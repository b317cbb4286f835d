import { optional, path } from '../../contract/binding.ts'
import { ChimeArn, Timestamp } from '../../contract/shapes.ts'
import { AppInstanceRetentionSettings } from '../../contract/structures/app-instances.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { requireAppInstance } from './app-instance.ts'
import { putRetention, retentionToWire } from './retention.ts'

/** Messages past the limit are hidden at once, and deleted after a grace period. Without RetentionDays all are kept. */
export const PutAppInstanceRetentionSettings = operation({
  name: 'PutAppInstanceRetentionSettings',
  http: 'PUT /app-instances/{AppInstanceArn}/retention-settings 200',
  input: { AppInstanceArn: path(ChimeArn), AppInstanceRetentionSettings },
  output: {
    AppInstanceRetentionSettings: optional(AppInstanceRetentionSettings),
    InitiateDeletionTimestamp: optional(Timestamp),
  },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['AppInstanceArn'],
  audited: ['AppInstanceRetentionSettings'],
  allow: byCredentialsAlone,
  async handle({ AppInstanceArn, AppInstanceRetentionSettings: settings }, { store, now }) {
    return store.transaction(async (transaction) => {
      await requireAppInstance(transaction, AppInstanceArn)
      return retentionToWire(await putRetention(transaction, AppInstanceArn, settings, now()))
    })
  },
})
