import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import { populate } from '../support/population.ts'
import { startTestServer, type TestServer } from '../support/running-server.ts'

/** How long the endpoint is away after a second call at once. */
const awayMs = 2_000
/** How long its function works. */
const workMs = 20

/** As the Runtime Interface Emulator: it takes one call at a time, ends at a second one, and is started again. */
class Emulator {
  readonly server = createServer((request, response) => void this.#serve(request, response))
  ends = 0
  #isBusy = false
  #port = 0

  async listen(): Promise<string> {
    await once(this.server.listen(this.#port, '127.0.0.1'), 'listening')
    this.#port = (this.server.address() as AddressInfo).port
    return `http://127.0.0.1:${this.#port}`
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#isBusy) return this.#end()
    this.#isBusy = true
    const { CallbackId, ChannelMessage } = (await json(request)) as ProcessorEvent
    await delay(workMs)
    if (response.destroyed) return
    if (CallbackId !== '') await this.#callBack(CallbackId, ChannelMessage)
    this.#isBusy = false
    response.writeHead(200).end('null')
  }

  #callBack(CallbackId: string, ChannelMessage: ProcessorEvent['ChannelMessage']) {
    const { MessageId, ChannelArn, Content } = ChannelMessage
    const isDenied = Number(Content) % 2 === 0
    return messaging().channelFlowCallback({
      CallbackId,
      ChannelArn,
      DeleteResource: isDenied,
      ChannelMessage: { MessageId, Content: `seen ${Content}` },
    })
  }

  async #end(): Promise<void> {
    this.ends += 1
    this.server.close()
    this.server.closeAllConnections()
    await delay(awayMs)
    this.#isBusy = false
    await this.listen()
  }
}

let server: TestServer
const messaging = () => server.messaging
const emulator = new Emulator()
const endpoint = await emulator.listen()
after(() => {
  emulator.server.close()
  emulator.server.closeAllConnections()
})
server = await startTestServer({ flags: ['--lambda-endpoint', endpoint, '--lambda-concurrency', '1'] })

test('at an endpoint that takes one call at a time, and is away for 2 s after a second one, every message ends as the function says', {
  timeout: 60_000,
}, async () => {
  const people = await populate(server)
  await people.attachFlow(['at-the-endpoint'])
  const session = await server.session(people.member)
  const sent = await Promise.all(Array.from({ length: 10 }, (_, index) => people.send({ Content: String(index) })))
  const ended = new Map<string, string>()
  while (ended.size < 10) {
    const { eventType, payload } = await session.next()
    const { MessageId, Content } = payload as { MessageId: string; Content: string }
    // Somebody else calls the endpoint while it works, once.
    if (eventType === 'CREATE_CHANNEL_MESSAGE' && emulator.ends === 0) await callUntilItEnds()
    if (!eventType.startsWith('PENDING') && eventType.endsWith('CREATE_CHANNEL_MESSAGE'))
      ended.set(MessageId, `${eventType} ${Content}`)
  }
  assert.equal(emulator.ends, 1)
  assert.deepEqual(
    sent.map(({ MessageId }) => ended.get(MessageId!)),
    sent.map((_, index) =>
      index % 2 === 0 ? `DENIED_CREATE_CHANNEL_MESSAGE ${index}` : `CREATE_CHANNEL_MESSAGE seen ${index}`,
    ),
  )
})

async function callUntilItEnds(): Promise<void> {
  const body = JSON.stringify({ CallbackId: '', ChannelMessage: {} })
  while (emulator.ends === 0) {
    const calls = [1, 2].map(() => fetch(endpoint, { method: 'POST', body }).catch(() => {}))
    await Promise.all(calls)
  }
}
