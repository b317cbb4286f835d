import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'

/*
 * A whole server with real function processes: a message of one AppInstance gets its verdict while any
 * messages of another AppInstance wait at the same processor.
 */

/** Does what the text of a message asks for, and allows the others. */
const moderate = `
import { ChimeSDKMessagingClient, ChannelFlowCallbackCommand } from '@aws-sdk/client-chime-sdk-messaging'
const client = new ChimeSDKMessagingClient()
export async function handler({ CallbackId, ChannelMessage: { ChannelArn, MessageId, Content } }) {
  if (Content === 'crash') {
    await new Promise((resolve) => setTimeout(resolve, 200))
    process.exit(1)
  }
  if (Content === 'hang') await new Promise((resolve) => setTimeout(resolve, 3_600_000))
  await client.send(new ChannelFlowCallbackCommand({ CallbackId, ChannelArn, ChannelMessage: { MessageId } }))
}
`

const server = await startTestServer({ flags: ['--admin-port', '0'] })

/** A function of its own for each test, with four places and a time-out of one second. */
async function addFunction(name: string): Promise<void> {
  const folder = join(dirname(server.dataDir), 'functions', name)
  await mkdir(folder)
  await writeFile(join(folder, 'function.json'), JSON.stringify({ timeoutMs: 1_000, concurrency: 4 }))
  await writeFile(join(folder, 'index.mjs'), moderate)
}

async function waiting(name: string): Promise<number> {
  const text = await (await fetch(`${server.endpoint.admin}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(`carillon_steps_waiting{processor="${name}"}`))
  return Number(line?.split(' ')[1] ?? 0)
}

/** Two AppInstances, each with a channel and a flow of this function. */
const peopleOf = (functionName: string) =>
  Promise.all(
    [1, 2].map(async () => {
      const people = await populate(server)
      await people.attachFlow([functionName])
      return people
    }),
  )

for (const content of ['crash', 'hang']) {
  test(`beside 40 messages on which the processor is made to ${content}, another AppInstance gets its verdict`, async (context: TestContext) => {
    const functionName = `moderate-${content}`
    await addFunction(functionName)
    const [busy, calm] = await peopleOf(functionName)
    assert.ok(busy && calm)
    const session = await server.session(calm.owner)
    context.after(() => session.webSocket.terminate())
    await Promise.all(Array.from({ length: 40 }, () => busy.send({ Content: content })))
    assert.ok((await waiting(functionName)) >= 30)
    const sentAt = performance.now()
    const { MessageId } = await calm.send()
    const { eventType, payload } = await session.next()
    const tookMs = performance.now() - sentAt
    const left = await waiting(functionName)
    context.diagnostic(`decided after ${tookMs.toFixed(0)} ms, ${left} of the others waited`)
    assert.deepEqual([eventType, (payload as { MessageId?: string }).MessageId], ['CREATE_CHANNEL_MESSAGE', MessageId])
    assert.ok(left >= 10, `only ${left} of the others waited`)
  })
}
