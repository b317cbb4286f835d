import { dayMs } from '../api/times.ts'
import { deleteAudit } from '../store/audit.ts'
import { type Kind, pieceRowsMax } from './kind.ts'

/** How long the audit log has an act: a year, and time to look back at it. */
export const auditKeptDays = 400

/** Rows of the audit log that are old. */
export const forgetAudit: Kind = {
  kind: 'forget-audit',
  everyMs: dayMs,
  done: 'old rows of the audit log are deleted',
  isOften: true,
  async piece(transaction, _work, now) {
    const deleted = await deleteAudit(transaction, now - auditKeptDays * dayMs, pieceRowsMax)
    return deleted < pieceRowsMax ? { state: 'done' } : { state: 'more', cursor: {} }
  },
}
