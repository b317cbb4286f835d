import type { Change, DecideOutcome, DecideStep, OutcomeOf } from './changes.ts'
import type { ChannelEvent } from './channel-event.ts'
import type { Job, RunRow, StepRow } from './tables.ts'

export type Value = string | number | null

/** SQL in the common dialect of both engines: `$1` placeholders, times as integer milliseconds. */
export interface Reader {
  get<Row>(sql: string, ...values: Value[]): Promise<Row | undefined>
  all<Row>(sql: string, ...values: Value[]): Promise<Row[]>
}

/** What an INSERT takes: the members are the columns' names, and so never a caller's. */
export type Columns<Row> = Record<keyof Row, Value>

export interface Transaction extends Reader {
  /** Throws if the table has a row with this key already. */
  insert<Row extends Columns<Row>>(table: string, row: Row): Promise<void>
  /** Leaves a row with this key as it is. Answers whether there was none. */
  insertOnce<Row extends Columns<Row>>(table: string, row: Row): Promise<boolean>
  /** How many rows it changed. */
  run(sql: string, ...values: Value[]): Promise<number>
  /** Numbers the event in its channel's log, and returns the number. The event is announced after the commit. */
  append(event: Omit<ChannelEvent, 'seq'>): Promise<number>
  /** Carries out these hot writes in this transaction. Returns the outcome of each. */
  decide(changes: DecideStep[]): Promise<DecideOutcome[]>
  /** Ends the run's step without a verdict if it is open, and notifies the engine that owns it. */
  endStep(run: Pick<RunRow, 'channel_id' | 'callback_id'>, now: number): Promise<void>
  /** The transaction deletes or replaces a stored text, so no copy may stay on disk (erasure.ts). */
  erasesText(): void
}

/**
 * What a transaction does not see of others. `serializable`: the outcome is as if it were alone, and it is repeated if
 * another one has crossed it. `read committed`: each statement sees what others have committed, so every guard is a row
 * that the transaction has locked by an update; a row that all sends update does not make it fail. SQLite has one
 * writer, and there is no difference.
 */
export type Isolation = 'serializable' | 'read committed'

/** What one durable commit brought, in the order of the channels' logs. */
export interface Committed {
  events: ChannelEvent[]
  /** A transaction has said that it deletes or replaces a stored text. */
  erasesText?: true
  /** New steps that this node owns, to be handed to their processors. */
  jobs: Job[]
  /** CallbackIds of the steps that are over. */
  decided: string[]
  /** Runs that ended with a step, by its verdict, its FallbackAction or its deadline. */
  ended: EndedRun[]
}

/** A run that is over, with its last step. */
interface EndedRun {
  run: RunRow
  step: StepRow
  /** The name of the step's processor: the row of a run that is over has none. */
  processorName: string | undefined
  /** The names of the processors that changed the message, in the order of their turns. */
  changedBy: string[]
}

/**
 * The durable record. What it answers is on disk: a promise that it resolves stays true after a crash.
 * A read never sees an open transaction.
 */
export interface Store {
  readonly read: Reader
  /**
   * A hot write. It shares its durable commit with its neighbours, and its outcome is its own: a rejected change never
   * fails another. Of two changes to one row, one wins: of those that share a commit, the first to arrive. Rejects with
   * StoreUnavailable when it cannot be written now: too many wait, the disk is full, the database is away.
   */
  commit<C extends Change>(change: C): Promise<OutcomeOf<C>>
  /**
   * Any other write, as if it were alone unless `isolation` says otherwise. `work` may wait for nothing but the
   * transaction, since other writes wait for it, and may be run again from its beginning: it changes nothing but the
   * store.
   */
  transaction<T>(work: (transaction: Transaction) => Promise<T>, isolation?: Isolation): Promise<T>
  /**
   * One statement, in a commit of its own that waits behind no other write where the engine allows that. How many rows
   * it changed.
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
  /** Accepts no write any more: each is rejected with this reason, and writes in flight are rolled back. */
  rejectWrites?(reason: string): void
  /** Stops waiting for a remote database: waiting writes and reads are rejected, as in an outage. */
  abandon?(): void
  /** Finishes the writes and reads in flight, and closes. */
  close(): Promise<void>
}

/** The store cannot write now, and nothing was written. The same may succeed later. */
export class StoreUnavailable extends Error {}

/** The store was lost between the asking and the answer: it may have been written, or may still be. */
export class OutcomeUnknown extends StoreUnavailable {}
