import type { Reader, Transaction } from './store.ts'

/** What an operator did. */
export interface Act {
  at: number
  /** The key that signed the call, or `commandLine`. */
  accessKeyId: string
  keyName?: string | undefined
  /** In IAM's form: `chime:CreateChannelFlow`, `carillon:SuspendKey`. */
  action: string
  /** The AppInstance in which it was. Undefined if it concerns the whole server. */
  scopeArn?: string | undefined
  facts: object
  /** As the socket has it. */
  address?: string | undefined
  requestId?: string | undefined
}

/** Of an IPv4 address on a socket that listens on IPv6 too. */
const mappedPrefix = /^::ffff:(?=\d+\.)/i

/** Stands for a key in the acts of the program's own commands. */
export const commandLine = 'command line'

export interface AuditRow {
  number: number
  at: number
  access_key_id: string
  key_name: string | null
  action: string
  scope_arn: string | null
  facts_json: string
  address: string | null
  request_id: string | null
}

/** Adds the act's row to the transaction that does it: there is a row exactly if it was done. */
export const recordAct = (transaction: Transaction, act: Act): Promise<void> =>
  transaction.insert<Omit<AuditRow, 'number'>>('audit', {
    at: act.at,
    access_key_id: act.accessKeyId,
    key_name: act.keyName ?? null,
    action: act.action,
    scope_arn: act.scopeArn ?? null,
    facts_json: JSON.stringify(act.facts),
    address: act.address?.replace(mappedPrefix, '') ?? null,
    request_id: act.requestId ?? null,
  })

/** Where a page of the log begins: after the row with this time and number. */
export type AuditPosition = readonly [at: number, number: number]

export const positionOf = ({ at, number }: AuditRow): AuditPosition => [at, number]

/** The rows after this position, the oldest first. `within`: of this AppInstance only. */
export function listAudit(
  read: Reader,
  { after, rowsMax, within }: { after: AuditPosition; rowsMax: number; within?: string | undefined },
): Promise<AuditRow[]> {
  const behind = '(at, number) > ($1, $2)'
  const page = 'ORDER BY at, number LIMIT $3'
  return within === undefined
    ? read.all<AuditRow>(`SELECT * FROM audit WHERE ${behind} ${page}`, ...after, rowsMax)
    : read.all<AuditRow>(`SELECT * FROM audit WHERE scope_arn = $4 AND ${behind} ${page}`, ...after, rowsMax, within)
}

/** Deletes the oldest rows from before this time. Returns how many. */
export const deleteAudit = (transaction: Transaction, before: number, rowsMax: number): Promise<number> =>
  transaction.run(
    `DELETE FROM audit WHERE number IN (SELECT number FROM audit WHERE at < $1 ORDER BY at, number LIMIT $2)`,
    before,
    rowsMax,
  )
