import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmod, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { Client } from 'pg'
import { PostgresStore } from '../../src/store/postgres.ts'
import { readDatabaseUrl } from '../../src/store/postgres-connection.ts'
import { StoreUnavailable } from '../../src/store/store.ts'
import { createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'
import { noPostgres, noPostgresServer, PostgresServer } from '../support/postgres-server.ts'
import { createDatabaseFor, DatabaseStores } from '../support/postgres-store.ts'
import { lobby, numberOf, openChannel, plainMessage } from '../support/rows.ts'

const log = { warn() {} }
const open = (url: string, migrations?: 'check') =>
  PostgresStore.open({ url, random: Math.random, log, ...(migrations && { migrations }) })

suite('a PostgreSQL that is restarted', { skip: noPostgresServer }, () => {
  test('rejects writes meanwhile, has no partial write, and accepts writes afterwards', async (context) => {
    const server = await PostgresServer.start()
    const stores = new DatabaseStores(await server.createDatabase())
    context.after(async () => {
      await stores.close()
      await server.stop()
    })
    const store = await stores.open()
    await openChannel(store)
    let uncertain = 0
    store.onUncertain(() => {
      uncertain += 1
    })
    const writer = new EndlessWriter(store)
    await writer.passed(50)
    await server.pause('immediate')
    await assert.rejects(store.commit(plainMessage()), StoreUnavailable)
    await assert.rejects(
      store.transaction((transaction) => transaction.run('DELETE FROM setting')),
      StoreUnavailable,
    )
    await assert.rejects(store.read.get('SELECT 1'), StoreUnavailable)
    await assert.rejects(store.ready(), StoreUnavailable)
    await server.resume()
    await writer.passed(50)
    const rejected = await writer.stop()
    assert.ok(uncertain > 0 || rejected.size > 0, 'the restart was noticed')
    await store.ready()

    const rows = await store.read.all<{ message_id: string; seq: number }>(
      'SELECT message_id, seq FROM channel_message',
    )
    const stored = new Set(rows.map(({ message_id }) => message_id))
    assert.deepEqual(
      [...writer.accepted].filter((id) => !stored.has(id)),
      [],
      'what was answered is there',
    )
    for (const id of stored) assert.ok(writer.accepted.has(id) || rejected.has(id), `${id} was asked for`)
    const log = await store.read.all<{ seq: number; subject: string }>(
      'SELECT seq, subject FROM channel_log ORDER BY seq',
    )
    assert.deepEqual(
      log.map(({ seq }) => seq),
      log.map((_, index) => index + 1),
    )
    assert.deepEqual(new Set(log.map(({ subject }) => subject)), stored, 'none is half')
  })
})

suite('a database', { skip: noPostgres }, () => {
  test('ends the transaction of a node that freezes, and so releases its locks', async (context) => {
    const database = await createDatabaseFor(context)
    const [frozen, other] = [await database.open(), await database.open()]
    await openChannel(frozen)
    const locked = Promise.withResolvers<void>()
    const thawed = Promise.withResolvers<void>()
    const transaction = frozen.transaction(async (inside) => {
      await inside.run('UPDATE channel_head SET last_created_at = 0 WHERE channel_id = $1', numberOf(lobby))
      locked.resolve()
      await thawed.promise
      await inside.run('UPDATE channel_head SET last_created_at = 9 WHERE channel_id = $1', numberOf(lobby))
    })
    await locked.promise
    // It waits until the server ends the frozen transaction.
    assert.equal((await other.commit(plainMessage())).result, 'accepted')
    thawed.resolve()
    await assert.rejects(transaction, StoreUnavailable)
    assert.equal((await frozen.commit(plainMessage())).result, 'accepted', 'another connection takes its place')
  })

  test('of a newer Carillon is rejected, and so is an older one if migrations are not allowed', async (context) => {
    const database = await createDatabaseFor(context)
    await assert.rejects(open(database.url, 'check'), /has schema 0, this Carillon needs \d+: migrate it first/)
    const store = await database.open()
    await (await open(database.url, 'check')).close()
    await store.transaction((transaction) =>
      transaction.run(`INSERT INTO schema_migration VALUES (999, '999-of-the-future.sql', 0)`),
    )
    await assert.rejects(open(database.url), /has schema 999, but .* newer one, start that/)
  })

  test('from before the first release is rejected with one clear line', async (context) => {
    const database = await createDatabaseFor(context)
    const store = await database.open()
    await store.transaction((transaction) => transaction.run(`UPDATE schema_migration SET name = '001-initial.sql'`))
    await assert.rejects(
      open(database.url),
      /from before its first release \(001-initial\.sql\).*: start with an empty/,
    )
  })

  test('reports in one line that its user may not create tables', async (context) => {
    const database = await createDatabaseFor(context)
    const name = `reader_${database.url.slice(-8)}`
    const admin = new Client({ connectionString: database.url })
    await admin.connect()
    await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD 'a-secret'`)
    try {
      const url = new URL(database.url)
      url.username = name
      url.password = 'a-secret'
      await assert.rejects(open(url.href), (error: Error) => {
        assert.match(error.message, /may not bring the schema up to date .* grant CREATE/)
        assert.ok(!error.message.includes('\n'))
        return true
      })
    } finally {
      await admin.query(`DROP ROLE ${name}`)
      await admin.end()
    }
  })

  test('is reported without its password if it cannot be used', async (context) => {
    const database = await createDatabaseFor(context)
    const url = new URL(database.url)
    url.password = 'a-wrong-secret'
    const shown = await open(url.href).then(
      () => assert.fail('it was opened'),
      (error: Error) => `${error.message} ${error.stack} ${JSON.stringify(error)} ${JSON.stringify(error.cause)}`,
    )
    assert.match(shown, /password authentication failed/)
    assert.ok(!shown.includes('a-wrong-secret'))
  })

  test('returns its time in whole milliseconds', async (context) => {
    const store = await (await createDatabaseFor(context)).open()
    const [first, second] = [await store.sharedNow(), await store.sharedNow()]
    assert.ok(Number.isInteger(first) && first > 1.7e12 && first <= second)
  })
})

test('an unreachable database is reported as unavailable', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  await assert.rejects(open(`postgres://me:a-secret@127.0.0.1:${port}/none`), (error: Error) => {
    assert.ok(error instanceof StoreUnavailable)
    assert.match(error.message, /ECONNREFUSED/)
    assert.ok(!error.message.includes('a-secret'))
    return true
  })
})

suite('TLS to the database', { skip: noPostgresServer }, async () => {
  if (noPostgresServer) return
  const now = Date.now()
  const [authority, stranger] = [await createAuthority(now), await createAuthority(now)]
  const { certificatePem, privateKeyPem } = await issueCertificate(authority, ['127.0.0.1'], now)
  const server = await PostgresServer.start({ durable: false, tls: { certificatePem, privateKeyPem } })
  after(() => server.stop())
  const file = async (name: string, pem: string) => {
    const path = join(server.folder, name)
    await writeFile(path, pem)
    await chmod(path, 0o644)
    return path
  }
  const [ours, theirs] = [
    await file('ours.pem', authority.certificatePem),
    await file('theirs.pem', stranger.certificatePem),
  ]
  const url = await server.createDatabase()
  const usesTls = async (store: PostgresStore) => {
    const row = await store.read.get<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()')
    await store.close()
    return row?.ssl
  }

  test('verify-full accepts a certificate of this CA for this host', async () => {
    assert.equal(await usesTls(await open(`${url}?sslmode=verify-full&sslrootcert=${ours}`)), true)
  })

  test('verify-full and verify-ca reject a certificate of another CA', async () => {
    for (const mode of ['verify-full', 'verify-ca']) {
      await assert.rejects(open(`${url}?sslmode=${mode}&sslrootcert=${theirs}`), /certificate/)
      await assert.rejects(open(`${url}?sslmode=${mode}`), /certificate/, 'nor is it of a CA that everybody knows')
    }
  })

  test('verify-full rejects a certificate for another host, and verify-ca accepts it', async () => {
    const elsewhere = url.replace('127.0.0.1', 'localhost')
    await assert.rejects(open(`${elsewhere}?sslmode=verify-full&sslrootcert=${ours}`), /altnames|certificate/)
    assert.equal(await usesTls(await open(`${elsewhere}?sslmode=verify-ca&sslrootcert=${ours}`)), true)
  })

  test('require accepts any certificate, and disable uses none', async () => {
    assert.equal(await usesTls(await open(`${url}?sslmode=require`)), true)
    assert.equal(await usesTls(await open(`${url}?sslmode=disable`)), false)
    assert.equal(await usesTls(await open(url)), false)
  })
})

suite('the URL of a database', () => {
  const rejected: Record<string, RegExp> = {
    'postgres://u:s3cret@one:5432,two:5432/d': /several hosts/,
    'mysql://u:s3cret@h/d': /should be like postgres:\/\//,
    'not a URL s3cret': /should be like/,
    'postgres://u:s3cret@h': /should name a user, a host and a database/,
    'postgres://h/d?s=s3cret': /should name a user/,
    'postgres://u:s3cret@h/d?sslmode=prefer': /sslmode is prefer, but should be one of disable, require/,
    'postgres://u:s3cret@h/d?target_session_attrs=any': /has the parameter target_session_attrs: known are sslmode/,
    'postgres://u:s3cret@h/d?sslmode=verify-full&sslrootcert=/no/such/file': /no such file.*\/no\/such\/file/,
  }
  for (const [url, reason] of Object.entries(rejected)) {
    test(`is rejected: ${reason.source}`, () => {
      assert.throws(
        () => readDatabaseUrl(url),
        (error: Error) => {
          assert.match(error.message, reason)
          assert.ok(!error.message.includes('s3cret'))
          return true
        },
      )
    })
  }

  test('has its parts percent-decoded, and the usual port', () => {
    const { host, port, user, password, database, ssl } = readDatabaseUrl('postgresql://a%40b:p%2Fw@[::1]/d%20e')
    assert.deepEqual(
      { host, port, user, password, database, ssl },
      { host: '::1', port: 5432, user: 'a@b', password: 'p/w', database: 'd e', ssl: false },
    )
  })
})

/** Sends messages in four sequences, with any outcome. */
class EndlessWriter {
  readonly accepted = new Set<string>()
  #rejected = new Set<string>()
  #stopped = false
  #waiting: { at: number; resolve(): void }[] = []
  #lines: Promise<void>[]

  constructor(store: PostgresStore) {
    this.#lines = [1, 2, 3, 4].map(() => this.#write(store))
  }

  /** Resolves when so many further messages were accepted. */
  passed(more: number): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ at: this.accepted.size + more, resolve }))
  }

  /** Returns the ids of the rejected messages. */
  async stop(): Promise<Set<string>> {
    this.#stopped = true
    await Promise.all(this.#lines)
    return this.#rejected
  }

  async #write(store: PostgresStore): Promise<void> {
    while (!this.#stopped) {
      const change = plainMessage()
      const { message_id: id } = change.message
      try {
        assert.equal((await store.commit(change)).result, 'accepted')
        this.accepted.add(id)
      } catch (error) {
        assert.ok(error instanceof StoreUnavailable, String(error))
        this.#rejected.add(id)
      }
      for (const { at, resolve } of this.#waiting) if (this.accepted.size >= at) resolve()
    }
  }
}
