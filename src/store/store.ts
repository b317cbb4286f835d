import type { Change, DecideOutcome, DecideStep, OutcomeOf } from './changes.ts'
import type { ChannelEvent } from './channel-event.ts'
import type { Job, RunRow, StepRow } from './tables.ts'

export type Value = string | number | null

/** SQL in the common dialect of both engines: `$1` placeholders, times as integer milliseconds. */
export interface Reader {
  get<Row>(sql: string, ...values: Value[]): Promise<Row | undefined>
  all<Row>(sql: string, ...values: Value[]): Promise<Row[]>
}

/** The row of an INSERT. Its members are names of columns, so they must never come from a caller. */
export type Columns<Row> = Record<keyof Row, Value>

export interface Transaction extends Reader {
  /** Throws if the table has a row with this key. */
  insert<Row extends Columns<Row>>(table: string, row: Row): Promise<void>
  /** Does not change an existing row with this key. Returns whether it inserted the row. */
  insertOnce<Row extends Columns<Row>>(table: string, row: Row): Promise<boolean>
  /** Returns the number of rows that it changed. */
  run(sql: string, ...values: Value[]): Promise<number>
  /** Numbers the event in its channel's log, and returns the number. The event is announced after the commit. */
  append(event: Omit<ChannelEvent, 'seq'>): Promise<number>
  /** Executes these hot writes in this transaction. Returns the outcome of each. */
  decide(changes: DecideStep[]): Promise<DecideOutcome[]>
  /** Ends the run's step without a verdict if it is open, and notifies the engine that owns it. */
  endStep(run: Pick<RunRow, 'channel_id' | 'callback_id'>, now: number): Promise<void>
  /** The transaction deletes or replaces a stored text, so no copy may stay on disk (erasure.ts). */
  erasesText(): void
}

/**
 * The isolation level. `serializable`: as if no other transaction ran at the same time; it is retried after a conflict.
 * `read committed`: each statement sees what others have committed, so every guard needs a row that the transaction has
 * locked by an update; a row that all sends update does not make it fail. SQLite has one writer, so there both are the
 * same.
 */
export type Isolation = 'serializable' | 'read committed'

/** The content of one durable commit, in the order of the channels' logs. */
export interface Committed {
  events: ChannelEvent[]
  /** Set if a transaction deletes or replaces a stored text. */
  erasesText?: true
  /** The new steps that this node owns. */
  jobs: Job[]
  /** The CallbackIds of the steps that have ended. */
  decided: string[]
  /** Runs that ended with a step, by its verdict, its FallbackAction or its deadline. */
  ended: EndedRun[]
}

/** A run that has ended, with its last step. */
interface EndedRun {
  run: RunRow
  step: StepRow
  /** The name of the step's processor: the row of an ended run does not have it. */
  processorName: string | undefined
  /** The names of the processors that changed the message, in execution order. */
  changedBy: string[]
}

/**
 * The durable record. A write whose promise has resolved is on disk and survives a crash. A read never sees an open
 * transaction.
 */
export interface Store {
  readonly read: Reader
  /**
   * A hot write. It shares its durable commit with others and has its own outcome: a rejected change never fails another
   * one. If two changes conflict, one is accepted: within a commit, the first to arrive. Rejects with StoreUnavailable if
   * the store cannot write now: too many writes wait, the disk is full, or the database is unreachable.
   */
  commit<C extends Change>(change: C): Promise<OutcomeOf<C>>
  /**
   * Any other write, serializable unless `isolation` says otherwise. `work` must only await the transaction, because other
   * writes wait for it. It may be retried from its beginning, so it must only change the store.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>, isolation?: Isolation): Promise<T>
  /**
   * One statement in its own commit. It does not queue behind other writes if the engine allows that. Resolves to the
   * number of rows that it changed.
   */
  write(sql: string, ...values: Value[]): Promise<number>
  /**
   * Called for every commit of this node after it is durable. If several commits are in flight, one may be reported
   * before another whose events have lower numbers. A listener must not throw: the commit is done.
   */
  onCommit(listener: (committed: Committed) => void): void
  /**
   * Called if the response to a write is lost: its events may be committed and not published, and this node may own
   * steps that are not in its memory. Called once more when the write has certainly ended.
   */
  onUncertain(listener: () => void): void
  /** Rejects with StoreUnavailable while the store cannot write. */
  ready(): Promise<void>
  /** The clock that all nodes of the store share, in milliseconds since the epoch. */
  sharedNow?(): Promise<number>
  /** Describes the problem if the open file is not the one on disk any more. */
  checkFile?(): Promise<string | undefined>
  /** Rejects all further writes with this reason, and rolls back writes in flight. */
  rejectWrites?(reason: string): void
  /** Stops waiting for a remote database: waiting writes and reads are rejected, as in an outage. */
  abandon?(): void
  /** Finishes the writes and reads in flight, and closes. */
  close(): Promise<void>
}

/** The store cannot write now, and nothing was written. A retry may succeed. */
export class StoreUnavailable extends Error {}

/** The connection was lost before the response: the write may have been committed, or may still be. */
export class OutcomeUnknown extends StoreUnavailable {}
