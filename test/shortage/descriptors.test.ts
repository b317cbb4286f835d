import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { suite, type TestContext, test } from 'node:test'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import { unlessRequired } from '../support/required.ts'
import { ShortageStage } from './stage.ts'

const skip = unlessRequired(process.platform === 'linux' ? false : 'limits of a running process are set on Linux alone')

// Each server mostly waits until it tries again.
suite('no text gets out without file descriptors', { skip, concurrency: true }, () => {
  for (const fallbackAction of ['CONTINUE', 'ABORT'] as const) {
    for (const place of ['function', 'endpoint'] as const) {
      test(`${fallbackAction}, ${place}`, async (t) => {
        const endpoint = await openEndpoint(t)
        const stage = await ShortageStage.start(t, { flags: ['--lambda-endpoint', endpoint.url] })
        endpoint.stage = stage
        const talk = await stage.talk(fallbackAction, place === 'function' ? 'deny-all' : 'deny-all-elsewhere')
        await stage.admin('/readyz')
        const open = readdirSync(`/proc/${stage.pid}/fd`).length
        stage.limit(`--nofile=${Math.floor(open / 2)}:`)

        const messageId = await stage.send(talk)
        assert.equal((await talk.own.next()).eventType, 'PENDING_CREATE_CHANNEL_MESSAGE')
        await stage.metric('carillon_shortages_total{kind="descriptors"}', 3)
        assert.equal(await stage.status(talk, messageId), 'PENDING')
        assert.equal((await stage.admin('/readyz')).status, 503)

        stage.limit(`--nofile=${open + 200}:`)
        assert.equal((await talk.own.next()).eventType, 'DENIED_CREATE_CHANNEL_MESSAGE')
        await stage.rename(talk)
        assert.equal(
          (await talk.listener.next()).eventType,
          'UPDATE_CHANNEL',
          'the first that the other member is told',
        )
        // Once is enough: a shortage counts for some seconds after it was met.
        if (place === 'function' && fallbackAction === 'CONTINUE') await stage.ready()
      })
    }
  }
})

/** An Invoke endpoint, by a name that must be looked up. Denies what it is given. */
async function openEndpoint(t: TestContext): Promise<{ url: string; stage?: ShortageStage }> {
  const endpoint: { url: string; stage?: ShortageStage } = { url: '' }
  const server = createServer(async (request, response) => {
    const { CallbackId, ChannelMessage } = (await json(request)) as ProcessorEvent
    response.writeHead(202).end()
    const { ChannelArn, MessageId } = ChannelMessage
    const verdict = { CallbackId, ChannelArn, DeleteResource: true, ChannelMessage: { MessageId } }
    await endpoint.stage?.messaging.channelFlowCallback(verdict)
  })
  await once(server.listen(0, 'localhost'), 'listening')
  t.after(() => void server.close().closeAllConnections())
  endpoint.url = `http://localhost:${(server.address() as AddressInfo).port}`
  return endpoint
}
