import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startNatsServer, withoutNatsServer } from './nats-server.ts'

/** The first line of the server's greeting. */
async function greeting(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  try {
    const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(10_000) })
    return String(bytes).split(' ', 1)[0]!
  } finally {
    socket.destroy()
  }
}

test('the NATS server of the tests is killed and started again at its port', {
  skip: withoutNatsServer,
}, async (context) => {
  const server = await startNatsServer(context)
  const { url, port } = server
  assert.equal(await greeting(port), 'INFO')
  await server.kill()
  await assert.rejects(greeting(port), { code: 'ECONNREFUSED' })
  await server.start()
  assert.equal(server.url, url)
  assert.equal(await greeting(port), 'INFO')
})

test('a configuration that the NATS server refuses is told in its words', {
  skip: withoutNatsServer,
}, async (context) => {
  await assert.rejects(
    startNatsServer(context, { lines: ['nonsense: {'] }),
    /nats-server ended; it said:\n.*Parse error on line 1/,
  )
})
