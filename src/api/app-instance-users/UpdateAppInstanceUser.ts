import { forbidden } from '../../contract/api-error.ts'
import { optional, path } from '../../contract/binding.ts'
import { ChimeArn, Metadata, UserName } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { toJsonText } from '../json-text.ts'

/**
 * Replaces name and metadata: AWS requires both. Lists of members show the new name. Messages keep the previous name
 * of their sender, and no session is notified.
 */
export const UpdateAppInstanceUser = operation({
  name: 'UpdateAppInstanceUser',
  http: 'PUT /app-instance-users/{AppInstanceUserArn} 200',
  input: { AppInstanceUserArn: path(ChimeArn), Name: UserName, Metadata },
  output: { AppInstanceUserArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['AppInstanceUserArn'],
  audited: [],
  allow: byCredentialsAlone,
  async handle({ AppInstanceUserArn, Name, Metadata }, { store, now }) {
    const text = `UPDATE app_instance_user SET name = $2, metadata = $3, updated_at = $4
      WHERE app_instance_user_arn = $1 AND deleted_at IS NULL`
    return store.transaction(async (transaction) => {
      const values = [AppInstanceUserArn, toJsonText(Name), toJsonText(Metadata), now()] as const
      if ((await transaction.run(text, ...values)) === 0) throw forbidden()
      return { AppInstanceUserArn }
    }, 'read committed')
  },
})
