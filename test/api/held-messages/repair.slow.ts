import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, test } from 'node:test'
import type { Store } from '../../../src/store/store.ts'
import { carillon } from '../../support/carillon.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { startTestServer } from '../../support/running-server.ts'
import { until } from '../../support/until.ts'

const messages = 500

let store!: Store
const clock = new ManualClock(Date.now())
/** Failed attempts are retried after a minute. */
const noRetryUntil = clock.now() + 55_000
// Sends and hand-offs that are held back continue; but no retry is due.
const ticking = setInterval(() => clock.now() < noRetryUntil && clock.advance(20), 20)
after(() => clearInterval(ticking))
const server = await startTestServer({ clock, aroundStore: (opened) => (store = opened) })
const people = await populate(server)
const functions = join(server.dataDir, '../functions')
const invocations = join(server.dataDir, '../invocations.txt')

const broken = `export async function handler() {
  throw new TypeError('nothing is right')
}`

/** It needs 50 ms for a message, and has 8 places. */
const repaired = `import { appendFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { ChannelFlowCallbackCommand, ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging'

const chime = new ChimeSDKMessagingClient({})

export async function handler({ CallbackId, ChannelMessage }) {
  const { ChannelArn, MessageId } = ChannelMessage
  appendFileSync(${JSON.stringify(invocations)}, MessageId + '\\n')
  await setTimeout(50)
  await chime.send(new ChannelFlowCallbackCommand({ ChannelArn, CallbackId, ChannelMessage: { MessageId } }))
}`

const count = async (text: string) => Number((await store.read.get<{ count: number }>(text))?.count)

test(`${messages} messages wait for a broken function: after its repair, one command has each decided exactly once`, async () => {
  const file = join(functions, 'broken.mjs')
  await writeFile(file, broken)
  await people.attachFlow(['broken'])
  const ids = new Set<string>()
  while (ids.size < messages) {
    const sent = await Promise.all(Array.from({ length: 10 }, (_, index) => people.send({ Content: `${index}` })))
    for (const { MessageId } of sent) ids.add(MessageId!)
  }
  const failedText = `SELECT count(*) AS count FROM flow_step WHERE owner = '' AND attempts = 1 AND state = 'DISPATCHING'`
  await until(async () => (await count(failedText)) === messages)

  await writeFile(file, repaired)
  const { status, stdout, stderr } = await carillon('again', '--all-of', 'broken', '--data-dir', server.dataDir)
  const summary = `${messages} messages held by broken: ${messages} handed to its processor again\n`
  assert.deepEqual([status, stderr, stdout], [0, '', summary])
  await until(async () => (await count(`SELECT count(*) AS count FROM flow_run WHERE state = 'SENT'`)) === messages)

  const invoked = readFileSync(invocations, 'utf8').trim().split('\n')
  assert.deepEqual(invoked.toSorted(), [...ids].toSorted(), 'each was invoked once')
  const released = await store.read.all<{ subject: string }>(
    `SELECT subject FROM channel_log WHERE event_type = 'CREATE_CHANNEL_MESSAGE'`,
  )
  assert.deepEqual(released.map(({ subject }) => subject).toSorted(), [...ids].toSorted(), 'each was sent once')
  assert.equal(await count('SELECT sum(rejected_callbacks) AS count FROM flow_step'), 0)
})
