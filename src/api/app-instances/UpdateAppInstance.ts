import { forbidden } from '../../contract/api-error.ts'
import { optional, path } from '../../contract/binding.ts'
import { ChimeArn, Metadata, NonEmptyResourceName } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { toJsonText } from '../json-text.ts'

/** Replaces name and metadata: AWS requires both. */
export const UpdateAppInstance = operation({
  name: 'UpdateAppInstance',
  http: 'PUT /app-instances/{AppInstanceArn} 200',
  input: { AppInstanceArn: path(ChimeArn), Name: NonEmptyResourceName, Metadata },
  output: { AppInstanceArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['AppInstanceArn'],
  audited: [],
  allow: byCredentialsAlone,
  async handle({ AppInstanceArn, Name, Metadata }, { store, now }) {
    const text = 'UPDATE app_instance SET name = $2, metadata = $3, updated_at = $4 WHERE app_instance_arn = $1'
    return store.transaction(async (transaction) => {
      const values = [AppInstanceArn, toJsonText(Name), toJsonText(Metadata), now()] as const
      if ((await transaction.run(text, ...values)) === 0) throw forbidden()
      return { AppInstanceArn }
    }, 'read committed')
  },
})
