import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'

/**
 * A thread with a connection of its own, since a checkpoint syncs files and waits for locks. A message is the
 * mode of a checkpoint, one at a time; the response is whether the checkpoint was complete. `close` ends the thread.
 */
const port = parentPort!
const { path, busyMs } = workerData as { path: string; busyMs: number }
// Opens an existing file, and never creates one.
const database = new DatabaseSync(new URL('?mode=rw', pathToFileURL(path)), { timeout: busyMs })

port.on('message', (mode: 'PASSIVE' | 'TRUNCATE' | 'close') => {
  if (mode === 'close') {
    database.close()
    port.close()
    return
  }
  const row = database.prepare(`PRAGMA wal_checkpoint(${mode})`).get() as { busy: number }
  port.postMessage(row.busy === 0)
})
