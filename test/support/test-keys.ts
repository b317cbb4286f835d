import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createAccessKey, deleteAccessKey, suspendAccessKey } from '../../src/keys/access-keys.ts'
import { createGrant, type GrantParameters } from '../../src/keys/grant.ts'
import { keepKeys } from '../../src/keys/kept-keys.ts'
import type { Credentials } from '../../src/keys/key.ts'
import { functionKey, issueTemporaryKey, type TemporaryKey } from '../../src/keys/temporary-keys.ts'
import { userIdOf } from './rows.ts'
import type { TestServer } from './running-server.ts'
import type { SteeredStore } from './steered-store.ts'

const hourMs = 3_600_000

/** Makes keys of every kind in the store of a running server. */
export class TestKeys {
  readonly #server: TestServer
  readonly #store: SteeredStore

  constructor(server: TestServer, store: SteeredStore) {
    this.#server = server
    this.#store = store
  }

  get #now() {
    return this.#server.clock.now()
  }

  /** A key with a row. */
  kept(parameters: GrantParameters, expiresAtMs?: number): Promise<Credentials> {
    const key = { grant: createGrant(parameters), expiresAtMs }
    return this.#store.transaction((transaction) => createAccessKey(transaction, key, this.#now))
  }

  /** A key without a row, which lives for an hour. */
  async temporary(parameters: GrantParameters, given: Partial<TemporaryKey> = {}): Promise<Required<Credentials>> {
    const { secrets } = await this.#own()
    const grant = createGrant(parameters)
    const userId = grant.kind === 'user' ? await userIdOf(this.#store, grant.userArn) : undefined
    const times = { issuedAtMs: this.#now, expiresAtMs: this.#now + hourMs }
    return issueTemporaryKey(secrets, { grant, userId, ...times, ...given })
  }

  /** The key that the server gives to this function. */
  async ofFunction(functionName: string): Promise<Required<Credentials>> {
    return functionKey((await this.#own()).secrets, functionName)
  }

  suspend({ accessKeyId }: Credentials): Promise<boolean> {
    return this.#store.transaction((transaction) => suspendAccessKey(transaction, accessKeyId, this.#now))
  }

  delete({ accessKeyId }: Credentials): Promise<boolean> {
    return this.#store.transaction((transaction) => deleteAccessKey(transaction, accessKeyId, this.#now))
  }

  #own() {
    return keepKeys(this.#store, undefined, this.#now)
  }
}

/** Puts a function that does nothing into the server's folder: it may act as these users. The server is to be restarted. */
export async function addActingFunction({ functions }: TestServer, name: string, actAs: string[]): Promise<void> {
  const folder = join(functions, name)
  await mkdir(folder)
  await writeFile(join(folder, 'index.mjs'), 'export const handler = async () => {}')
  await writeFile(join(folder, 'function.json'), JSON.stringify({ actAs }))
}
