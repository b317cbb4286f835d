import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { ConsoleClient } from './console-client.ts'
import { LiveClient } from './live-client.ts'

const server = await startTestServer({ flags: ['--admin-port', '0'] })
const people = await populate(server)
await people.attachFlow(['first'])

async function signedIn(proof?: object): Promise<ConsoleClient> {
  const client = new ConsoleClient(server.endpoint.admin ?? assert.fail('there is no admin port'))
  const { status, text } = await client.signIn(proof ?? { token: await server.consoleToken() })
  assert.equal(status, 200, text)
  return client
}

function live(t: TestContext, client: ConsoleClient): LiveClient {
  const opened = new LiveClient(client)
  t.after(() => opened.webSocket.terminate())
  return opened
}

const operatorKey = (input: object = {}) => server.createKey({ Kind: 'OPERATOR', ...input })

suite('the WebSocket of a page', () => {
  test('shows the state at once, and then each message that is held, and its outcome', async (t) => {
    const page = live(t, await signedIn())
    const before = await page.next()
    assert.deepEqual([before.pending.total, before.messages, before.output], [0, [], []])
    const event = await people.sendHeld()
    const { MessageId: messageId, ChannelArn: channelArn } = event.ChannelMessage
    const held = await page.until(({ pending }) => pending.total === 1)
    const first = held.processors.find(({ FunctionName }) => FunctionName === 'first')
    assert.deepEqual([first?.Held, first?.State], [1, 'ready'])
    assert.deepEqual(
      held.messages.map((message) => [message.messageId, message.channelArn, message.status]),
      [[messageId, channelArn, 'PENDING']],
    )
    await people.deny(event)
    const { messages } = await page.until(({ pending }) => pending.total === 0)
    assert.deepEqual(
      messages.map((message) => [message.messageId, message.status]),
      [[messageId, 'DENIED']],
    )
  })

  test('shows what a function prints, and its error, to operators of the server alone', async (t) => {
    const code = `export const handler = async () => { console.log('ding'); throw new Error('dong') }`
    await writeFile(join(server.functions, 'loud.mjs'), code)
    const [page, reader] = [live(t, await signedIn()), live(t, await signedIn(await operatorKey({ Role: 'VIEWER' })))]
    await Promise.all([page.next(), reader.next()])
    const flow = await people.createFlow(['loud'])
    const channel = await people.createChannel()
    await server.messaging.associateChannelFlow({
      ChannelArn: channel,
      ChannelFlowArn: flow,
      ChimeBearer: people.owner,
    })
    await people.send({ ChannelArn: channel })
    const isBroken = ({ processors }: { processors: { FunctionName: string; State: string }[] }) =>
      processors.some(({ FunctionName, State }) => FunctionName === 'loud' && State === 'broken')
    let printed: string[] = []
    const broken = await page.until((frame) => {
      printed = [...printed, ...frame.output.flatMap(({ lines }) => lines)]
      return isBroken(frame)
    })
    assert.ok(printed.includes('ding'), printed.join())
    assert.match(broken.processors.find(({ FunctionName }) => FunctionName === 'loud')?.Error ?? '', /dong/)
    const seen = await reader.until(isBroken)
    assert.deepEqual(seen.output, [])
    assert.equal(seen.processors.find(({ FunctionName }) => FunctionName === 'loud')?.Error, undefined)
    const { Processors } = (await server.call('GET', '/carillon/v1/processors')).body
    const { LastOutput, Errors } = Processors.find((one: { FunctionName: string }) => one.FunctionName === 'loud')
    assert.deepEqual([LastOutput.includes('ding'), Errors >= 1], [true, true])
  })

  test('shows a key of one AppInstance the messages of that', async (t) => {
    const others = await populate(server)
    await others.attachFlow(['first'])
    const page = live(t, await signedIn(await operatorKey({ SubjectArn: people.appInstanceArn })))
    const before = await page.next()
    assert.deepEqual(before.processors, [])
    await others.sendHeld()
    const { ChannelMessage } = await people.sendHeld()
    const { messages } = await page.until((frame) => frame.messages.length > 0)
    assert.deepEqual(
      messages.map(({ messageId }) => messageId),
      [ChannelMessage.MessageId],
    )
  })

  test('is closed at the sign-out, and when the key is suspended', async (t) => {
    const client = await signedIn()
    const page = live(t, client)
    await page.next()
    await client.write('/console/sign-out')
    assert.equal((await page.closed).code, 4401)
    const key = await operatorKey()
    const other = live(t, await signedIn(key))
    await other.next()
    await server.call('POST', `/carillon/v1/keys/${key.accessKeyId}?operation=suspend`)
    assert.equal((await other.closed).code, 4401)
  })

  test('is closed when the server stops, so that the page connects again', async (t) => {
    const client = await signedIn()
    const page = live(t, client)
    await page.next()
    await server.restart()
    assert.equal((await page.closed).code, 1012)
  })
})
