import { storeFiles } from './open-store.ts'
import type { Cancel, Clock } from './runtime/clock.ts'
import type { DataFolder } from './runtime/data-folder.ts'
import { networkFileSystemOf } from './runtime/file-system.ts'
import type { Log } from './runtime/log.ts'
import { OpenFiles, watchFiles } from './runtime/open-files.ts'
import type { Store } from './store/store.ts'

const restore = '. Restore the backup into a new folder (docs/operations.md, "Restore")'

/** SQLite works there as long as one machine uses the folder, and as long as its locks work. */
export function warnOfNetwork({ path }: DataFolder, log: Log): void {
  const name = networkFileSystemOf(path)
  if (name) log.warn({ folder: path }, `the data folder is on ${name}: use a local disk, since its locks may not work`)
}

/** Left in a folder whose database was overwritten: what SQLite makes of the two databases must never be served. */
const overwrittenFile = 'overwritten'

/** Throws if the folder's database was overwritten while a server used it. */
export function refuseOverwritten(folder: DataFolder): void {
  const problem = folder.read(overwrittenFile)
  if (problem === undefined) return
  throw new Error(`the data folder ${folder.path} is not usable any more: ${problem}`)
}

/**
 * Looks once a second whether the data folder and the files of its store are still those on disk. What is written to others
 * is lost with this process, so the store acknowledges nothing from then on, and the server must stop.
 */
export function watchDataFiles(
  folder: DataFolder,
  storeFile: string,
  store: Store,
  { clock, log }: { clock: Clock; log: Log },
  broken: (error: Error) => void,
): Cancel {
  const files = new OpenFiles([...folder.openPaths, ...storeFiles(storeFile)])
  const look = async () => {
    const problem = await files.problem()
    if (problem !== undefined) {
      folder.lose()
      return problem
    }
    const overwritten = await store.checkFile?.()
    if (overwritten !== undefined) folder.writeSecret(overwrittenFile, `${overwritten}${restore}`)
    return overwritten
  }
  const found = (problem: string) => {
    store.refuse?.(problem)
    const advice = 'the server stops, since it would lose what it writes (docs/operations.md, "The data on disk")'
    broken(new Error(`the data on disk is not that of this server any more: ${problem}; ${advice}`))
  }
  return watchFiles({ clock, log, look, found })
}
