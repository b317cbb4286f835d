import { storeFiles } from '../open-store.ts'
import type { Cancel, Clock } from '../runtime/clock.ts'
import type { DataFolder } from '../runtime/data-folder.ts'
import { keepsInodes, networkFileSystemOf } from '../runtime/file-system.ts'
import type { Log } from '../runtime/log.ts'
import { OpenFiles, watchFiles } from '../runtime/open-files.ts'
import type { Store } from '../store/store.ts'

const restore = '. Restore the backup into a new folder (docs/operations.md, "Restore")'

/** SQLite works on a network file system as long as its locks work, and one machine uses the folder. */
export function warnOfNetwork({ path }: DataFolder, log: Log): void {
  const name = networkFileSystemOf(path)
  if (name)
    log.warn({ folder: path }, `the data folder is on ${name}: use a local disk, because locks may not work there`)
}

/**
 * A mark in a folder whose database was overwritten. Such a folder must never be used again: SQLite has mixed two
 * databases.
 */
const overwrittenFile = 'overwritten'

/** Throws if the folder's database was overwritten while a server used it. */
export function refuseOverwritten(folder: DataFolder): void {
  const problem = folder.read(overwrittenFile)
  if (problem === undefined) return
  throw new Error(`the data folder ${folder.path} is not usable any more: ${problem}`)
}

interface Problem {
  kind: 'lost' | 'overwritten'
  text: string
}

/**
 * Checks once a second whether the data folder and the files of its store are still those on disk. After a problem, all
 * further writes would be lost when this process ends: the store refuses them, and the server must stop.
 */
export function watchDataFiles(
  folder: DataFolder,
  storeFile: string,
  store: Store,
  { clock, log }: { clock: Clock; log: Log },
  broken: (error: Error) => void,
): Cancel {
  const paths = [...folder.openPaths, ...storeFiles(storeFile)]
  const files = new OpenFiles(paths, { keepsInodes: keepsInodes(folder.path) })
  const check = async (): Promise<Problem | undefined> => {
    const lost = await files.problem()
    if (lost !== undefined) return { kind: 'lost', text: lost }
    const overwritten = await store.checkFile?.()
    return overwritten === undefined ? undefined : { kind: 'overwritten', text: overwritten }
  }
  const found = ({ kind, text }: Problem) => {
    // First, because the disk may refuse the next writes.
    store.rejectWrites?.(text)
    const advice = 'the server stops, because its writes would be lost (docs/operations.md, "The data on disk")'
    broken(new Error(`the data on disk is not that of this server any more: ${text}; ${advice}`))
    if (kind === 'lost') folder.lose()
    else markOverwritten(folder, text, log)
  }
  return watchFiles({ clock, log, check, found })
}

function markOverwritten(folder: DataFolder, problem: string, log: Log): void {
  try {
    folder.writeSecret(overwrittenFile, `${problem}${restore}`)
  } catch (err) {
    log.error({ err }, 'marking the data folder as overwritten failed: do not start a server in it again')
  }
}
