import Type from 'typebox'
import { path } from '../../contract/binding.ts'
import { suspendAccessKey } from '../../keys/access-keys.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { AccessKeyId } from './key-shapes.ts'
import { requireKeyInScope } from './key-summary.ts'

/** Every call of the key is rejected from now on, and its sessions are closed. Any id can be suspended. */
export const SuspendKey = operation({
  name: 'SuspendKey',
  service: 'carillon',
  http: 'POST /carillon/v1/keys/{AccessKeyId}?operation=suspend 200',
  input: { AccessKeyId: path(AccessKeyId) },
  output: { Changed: Type.Boolean() },
  errors: ['BadRequest', 'NotFound'],
  resources: [],
  audited: ['AccessKeyId'],
  allow: byCredentialsAlone,
  async handle({ AccessKeyId }, context) {
    const now = context.now()
    const Changed = await context.store.transaction(async (transaction) => {
      await requireKeyInScope(transaction, AccessKeyId, context)
      return suspendAccessKey(transaction, AccessKeyId, now)
    })
    return { Changed }
  },
})
