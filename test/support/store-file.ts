import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { silentLog } from '../../src/runtime/log.ts'
import { type SqliteOptions, SqliteStore } from '../../src/store/sqlite.ts'
import { ManualClock } from './manual-clock.ts'

/** A store on a real file, in a folder that is deleted after the test. */
export async function createStoreFile(context: TestContext): Promise<StoreFile> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-store-'))
  const file = new StoreFile(join(folder, 'carillon.db'))
  context.after(async () => {
    await file.close()
    await rm(folder, { recursive: true })
  })
  return file
}

export class StoreFile {
  readonly path: string
  #store: SqliteStore | undefined

  constructor(path: string) {
    this.path = path
  }

  /** Closes the store, and opens it again from its files. */
  async open(now = 0): Promise<SqliteStore> {
    return this.openWith({ clock: new ManualClock(now), log: silentLog })
  }

  async openWith(options: SqliteOptions): Promise<SqliteStore> {
    await this.close()
    this.#store = new SqliteStore(this.path, options)
    return this.#store
  }

  async close(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    await store?.close()
  }
}
