import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { SqliteStore } from '../../src/store/sqlite.ts'

/** A store on a real file, in a folder of its own that goes away with the test. */
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

  /** Closes what is open, and opens what that left on disk. */
  async open(now = 0): Promise<SqliteStore> {
    await this.close()
    this.#store = new SqliteStore(this.path, now)
    return this.#store
  }

  async close(): Promise<void> {
    const store = this.#store
    this.#store = undefined
    await store?.close()
  }
}
