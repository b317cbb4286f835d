import type { Transaction } from '../store/store.ts'
import type { Progress, WorkKind, WorkRow } from '../store/work.ts'

/**
 * Maximum of rows that one piece deletes or changes. In SQLite a piece blocks the event loop: 250 rows take 11 ms, 1,000
 * took 39 ms.
 */
export const pieceRowsMax = 250

/**
 * The delay between the last event of a deleted user and the close of its sessions: the hubs have then delivered the event.
 */
export const sessionsAfterMs = 1_000

/** One kind of background work. Each has a file in this folder, and a line in kinds.ts. */
export interface Kind {
  kind: WorkKind
  /** The interval of work about the whole store. Its row always exists. */
  everyMs?: number
  /** The log line at its end, unless nothing was changed; at the level debug for frequent work. */
  done: string
  isOften?: true
  /**
   * Does the next piece, in its own transaction at READ COMMITTED, which has locked the work's row. Like every transaction,
   * it may be retried from its beginning.
   */
  piece(transaction: Transaction, work: WorkRow, now: number): Promise<PieceEnd>
}

export type PieceEnd = Progress & {
  /** Set if there was nothing to do. */
  unchanged?: true
  /** Called after the commit, unless the node is killed before. It must not throw. */
  afterCommit?(): void
}

/** The cursor of the work; undefined at its beginning. */
export const cursorOf = <Cursor>({ cursor_json }: WorkRow): Cursor | undefined =>
  cursor_json === null ? undefined : (JSON.parse(cursor_json) as Cursor)
