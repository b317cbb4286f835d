import { optional, path } from '../../contract/binding.ts'
import { ChimeArn, Metadata, NonEmptyResourceName } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { toJsonText } from '../json-text.ts'
import { requireAppInstance } from './app-instance.ts'

/** Replaces name and metadata: AWS requires both. */
export const UpdateAppInstance = operation({
  name: 'UpdateAppInstance',
  http: 'PUT /app-instances/{AppInstanceArn} 200',
  input: { AppInstanceArn: path(ChimeArn), Name: NonEmptyResourceName, Metadata },
  output: { AppInstanceArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['AppInstanceArn'],
  allow: byCredentialsAlone,
  async handle({ AppInstanceArn, Name, Metadata }, { store, now }) {
    return store.transaction(async (transaction) => {
      await requireAppInstance(transaction, AppInstanceArn)
      await transaction.run(
        'UPDATE app_instance SET name = $2, metadata = $3, updated_at = $4 WHERE app_instance_arn = $1',
        AppInstanceArn,
        toJsonText(Name),
        toJsonText(Metadata),
        now(),
      )
      return { AppInstanceArn }
    })
  },
})
