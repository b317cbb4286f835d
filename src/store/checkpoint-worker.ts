import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import type { CheckpointMode, CheckpointResult } from './checkpoint-thread.ts'

/**
 * A thread with a connection of its own, since a checkpoint syncs files and waits for locks. A message is the
 * mode of a checkpoint, one at a time; the response is its result. `close` ends the thread.
 */
const port = parentPort!
const { path, busyMs } = workerData as { path: string; busyMs: number }
// Opens an existing file, and never creates one.
const database = new DatabaseSync(new URL('?mode=rw', pathToFileURL(path)), { timeout: busyMs })
// A checkpoint syncs the log before it copies pages, and the file after that.
database.exec('PRAGMA synchronous = FULL')

port.on('message', (mode: CheckpointMode | 'close') => {
  if (mode === 'close') {
    database.close()
    port.close()
    return
  }
  const row = database.prepare(`PRAGMA wal_checkpoint(${mode})`).get() as {
    busy: number
    log: number
    checkpointed: number
  }
  port.postMessage({ isComplete: row.busy === 0, pagesLeft: row.log - row.checkpointed } satisfies CheckpointResult)
})
