import { OutcomeUnknown, StoreUnavailable } from './store.ts'

/**
 * `busy`: another process has the lock; the disk is not the cause.
 * `failing`: a read or write of the system failed; a retry may succeed.
 * `damaged`: the file is corrupt. Every further write could make it worse.
 */
type TroubleKind = 'busy' | 'failing' | 'damaged'

/** The kinds of SQLite's primary result codes. All other codes are bugs of this program. */
const troubles: Record<number, { kind: TroubleKind; reason: string }> = {
  3: { kind: 'failing', reason: 'the database file may not be accessed' },
  5: { kind: 'busy', reason: 'another process is writing' },
  7: { kind: 'failing', reason: 'the system has no memory left' },
  8: { kind: 'failing', reason: 'the database file or its file system is read-only' },
  10: { kind: 'failing', reason: 'the disk reports an input/output error' },
  11: { kind: 'damaged', reason: 'its content is damaged' },
  13: { kind: 'failing', reason: 'the disk is full' },
  14: { kind: 'failing', reason: 'a file of the database cannot be opened' },
  15: { kind: 'busy', reason: 'other processes hold the locks of the database' },
  22: { kind: 'failing', reason: 'the file system does not take a file of this size' },
  24: { kind: 'damaged', reason: 'it is not a SQLite database' },
  26: { kind: 'damaged', reason: 'it is not a SQLite database' },
}

/** Errors of locks and shared memory, which a network file system may lack: IOERR_LOCK, IOERR_RDLOCK, IOERR_SHMOPEN, etc. */
const lockCodes = new Set([2058, 2314, 3594, 3850, 4618, 4874, 5130, 5386])

/** The disk or the file cannot be read or written for now. */
class DiskFailure extends StoreUnavailable {}

/** A DiskFailure of COMMIT: the write may reappear after a crash, until the next write succeeds. */
class CommitFailure extends OutcomeUnknown {}

/** The store accepts no further write in this process. */
export class StoreBroken extends StoreUnavailable {}

/** Whether a read or write failed for a reason that may make the next one fail, too. */
export const isDiskFailure = (error: unknown): error is StoreUnavailable =>
  error instanceof DiskFailure || error instanceof CommitFailure

function troubleOf(error: unknown): { kind: TroubleKind; reason: string; code: number } | undefined {
  const code = (error as { errcode?: number } | undefined)?.errcode
  if (code === undefined) return undefined
  // The lower byte is the primary code; the rest has details.
  const trouble = troubles[code & 0xff]
  return trouble && { ...trouble, code }
}

/**
 * Translates SQLite's errors that the disk or the file has caused; returns all others unchanged.
 *
 * If COMMIT itself fails, SQLite rolls back, and readers never see the write. But if only the sync failed, its frames may
 * be complete in the write-ahead log: until the next commit overwrites them, a crash would restore them.
 */
export function asStoreError(path: string, error: unknown, during: 'statement' | 'commit'): unknown {
  const trouble = troubleOf(error)
  if (!trouble) return error
  const { kind, reason, code } = trouble
  if (kind === 'busy') return new StoreUnavailable(reason, { cause: error })
  if (kind === 'damaged') return new StoreBroken(`${path}: ${reason} (SQLite code ${code})${restore}`, { cause: error })
  const Failure = during === 'commit' ? CommitFailure : DiskFailure
  return new Failure(`${reason} (SQLite code ${code})`, { cause: error })
}

const restore =
  '. Restore a backup into a new folder (docs/operations.md, "Restore"), or start anew with another --data-dir'

/** An error of one line for the operator: the file that could not be opened, the reason, and the remedy. */
export function openingError(path: string, error: unknown): unknown {
  const trouble = troubleOf(error)
  if (!trouble) return error
  const { kind, reason, code } = trouble
  return new Error(`${path} cannot be used: ${reason} (SQLite code ${code})${adviceFor(kind, code)}`, { cause: error })
}

function adviceFor(kind: TroubleKind, code: number): string {
  if (kind === 'damaged') return restore
  if (kind === 'busy') return '. Close the other program that has it open'
  if (lockCodes.has(code)) {
    return '. Its file system lacks the locks or the shared memory that SQLite needs, as network file systems do: use a local disk'
  }
  return '. Check the disk, and that this user may read and write the file and its folder'
}
