import { type FSWatcher, watch } from 'node:fs'

interface Watched {
  identity: string
  watcher: FSWatcher
}

/** Whether a change of the entry with this name counts. */
type Counts = (name: string) => boolean

/**
 * Notices changes in a set of folders, not below them. One watch a folder, and not Node's recursive watch: that one walks
 * the tree synchronously, follows no links, and watches every file, those of installed packages too. For 400 functions
 * beside 3,000 installed files it took 166 ms, 4,102 inotify watches and 18 MB, this takes 6 ms, 401 and 0.1 MB. On Linux
 * all watches of the process share one file descriptor.
 */
export class FolderWatch {
  #changed: () => void
  #watched = new Map<string, Watched>()
  #entered = new Set<string>()
  #failure: Error | undefined

  constructor(changed: () => void) {
    this.#changed = changed
  }

  /** The reason why a folder is not watched, if there is one: usually too many watches. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** From `end` on, only the folders that were entered since `begin` are watched. */
  begin(): void {
    this.#entered.clear()
    this.#failure = undefined
  }

  /** Watches the folder, unless it is watched already. Another identity means that another folder has replaced it. */
  enter(path: string, identity: string, counts: Counts): void {
    this.#entered.add(path)
    if (this.#watched.get(path)?.identity === identity) return
    this.#leave(path)
    try {
      const watcher = watch(path, { persistent: false }, (_type, name) => {
        if (name === null || counts(name)) this.#changed()
      })
      this.#watched.set(path, { identity, watcher })
      watcher.on('error', () => {
        this.#leave(path)
        this.#changed()
      })
    } catch (error) {
      this.#failure ??= error as Error
    }
  }

  end(): void {
    for (const path of this.#watched.keys()) if (!this.#entered.has(path)) this.#leave(path)
  }

  close(): void {
    for (const path of this.#watched.keys()) this.#leave(path)
  }

  #leave(path: string): void {
    this.#watched.get(path)?.watcher.close()
    this.#watched.delete(path)
  }
}
