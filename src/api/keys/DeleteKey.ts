import { path } from '../../contract/binding.ts'
import { deleteAccessKey } from '../../keys/access-keys.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { AccessKeyId } from './key-shapes.ts'
import { requireKeyInScope, unknownKey } from './key-summary.ts'

/** Ends a key for ever, and the temporary keys that were made by it. The root key cannot be deleted, only suspended. */
export const DeleteKey = operation({
  name: 'DeleteKey',
  service: 'carillon',
  http: 'DELETE /carillon/v1/keys/{AccessKeyId} 204',
  input: { AccessKeyId: path(AccessKeyId) },
  output: {},
  errors: ['BadRequest', 'NotFound'],
  resources: [],
  audited: ['AccessKeyId'],
  allow: byCredentialsAlone,
  async handle({ AccessKeyId }, context) {
    const now = context.now()
    await context.store.transaction(async (transaction) => {
      await requireKeyInScope(transaction, AccessKeyId, context)
      if (!(await deleteAccessKey(transaction, AccessKeyId, now))) throw unknownKey(AccessKeyId)
    })
    return {}
  },
})
