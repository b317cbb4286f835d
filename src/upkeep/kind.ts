import type { Transaction } from '../store/store.ts'
import type { Progress, WorkKind, WorkRow } from '../store/work.ts'

/**
 * Rows that one piece deletes or changes at most. In SQLite nothing else happens meanwhile: 250 rows take 11 ms, 1,000 took
 * 39 ms.
 */
export const pieceRowsMax = 250

/**
 * Sessions of deleted users are closed so long after the last event that they receive: the hubs have delivered it by then.
 */
export const sessionsAfterMs = 1_000

/** One kind of background work. Each has a file in this folder, and a line in kinds.ts. */
export interface Kind {
  kind: WorkKind
  /** How often it is done, for work about the whole store. Its row is always there. */
  everyMs?: number
  /** What the log says when it is done, unless nothing was changed; at the level debug if that is often. */
  done: string
  isOften?: true
  /**
   * Does the next piece, in a transaction at READ COMMITTED of its own, which has locked the work's row. It may be repeated
   * from its beginning, as every transaction.
   */
  piece(transaction: Transaction, work: WorkRow, now: number): Promise<PieceEnd>
}

export type PieceEnd = Progress & {
  /** It turned out that there was nothing to do. */
  unchanged?: true
  /** Called after the commit. A node that is killed in between does not call it. Must not throw. */
  afterCommit?(): void
}

/** The work's cursor, or undefined at its beginning. */
export const cursorOf = <Cursor>({ cursor_json }: WorkRow): Cursor | undefined =>
  cursor_json === null ? undefined : (JSON.parse(cursor_json) as Cursor)
