import { forgetOldTokens } from '../api/idempotency.ts'
import { type Kind, pieceRowsMax } from './kind.ts'

/** Deletes expired idempotency keys. */
export const forgetTokens: Kind = {
  kind: 'forget-tokens',
  everyMs: 3_600_000,
  done: 'old idempotency tokens are deleted',
  isOften: true,
  async piece(transaction, _work, now) {
    const forgotten = await forgetOldTokens(transaction, now, pieceRowsMax)
    return forgotten < pieceRowsMax ? { state: 'done' } : { state: 'more', cursor: {} }
  },
}
