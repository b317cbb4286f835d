import Type from 'typebox'
import { path } from '../../contract/binding.ts'
import { resumeAccessKey } from '../../keys/access-keys.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { AccessKeyId } from './key-shapes.ts'
import { requireKeyInScope } from './key-summary.ts'

/** Ends the suspension of a key. */
export const ResumeKey = operation({
  name: 'ResumeKey',
  service: 'carillon',
  http: 'POST /carillon/v1/keys/{AccessKeyId}?operation=resume 200',
  input: { AccessKeyId: path(AccessKeyId) },
  output: { Changed: Type.Boolean() },
  errors: ['BadRequest', 'NotFound'],
  resources: [],
  audited: ['AccessKeyId'],
  allow: byCredentialsAlone,
  async handle({ AccessKeyId }, context) {
    const Changed = await context.store.transaction(async (transaction) => {
      await requireKeyInScope(transaction, AccessKeyId, context)
      return resumeAccessKey(transaction, AccessKeyId)
    })
    return { Changed }
  },
})
