import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { readOwnJob } from '../../src/store/steps.ts'
import { acceptBacklog, backlogChannels } from '../support/backlog.ts'
import { type Attempt, FlowStage, openStage } from '../support/flow-stage.ts'
import { node, verdictOn } from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'

/*
 * A backlog that exceeds the limits of memory, at a slow function: most of its steps are parked, and memory only has their
 * channels.
 */

const messages = 15_000
const places = 200
const killedBacklog = fileURLToPath(new URL('killed-backlog.ts', import.meta.url))

/** Accepted by the process that delivers them. */
async function accepted(t: TestContext) {
  const stage = await openStage(t, { inFlightMax: places })
  return { stage, ids: await acceptBacklog(stage.store, messages) }
}

/** Accepted by a process that was killed, and resumed by another one. */
async function takenUp(t: TestContext) {
  const file = await createStoreFile(t)
  const child = execFile(process.execPath, [killedBacklog, file.path, String(messages)], { maxBuffer: 2 ** 24 })
  t.after(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout?.on('data', (text: string) => {
    output += text
  })
  const [, signal] = await once(child, 'close')
  assert.equal(signal, 'SIGKILL')
  const stage = new FlowStage(file, { inFlightMax: places })
  await stage.start()
  return { stage, ids: JSON.parse(output) as string[][] }
}

for (const [how, prepare] of Object.entries({ 'that are accepted': accepted, 'that a killed process left': takenUp })) {
  test(`15,000 messages ${how} cost no statement while they wait, and are handed over in order, each exactly once`, async (t) => {
    const { stage, ids } = await prepare(t)
    await untilNothingIsRead(stage)
    assert.equal(stage.backlogOf('redact', '').steps, messages - places)
    assert.equal(stage.attempts.length, places)

    const { reads } = stage.store
    const writes = stage.store.written.length
    await stage.pass(10 * 60_000)
    assert.equal(stage.store.reads - reads, 0, 'reads while all wait')
    assert.equal(stage.store.written.length - writes, 0, 'writes while all wait')

    await allowAll(stage)
    const handedOver = new Map(backlogChannels.map((one): [string, string[]] => [one, []]))
    for (const { event, callbackId } of stage.attempts)
      handedOver.get(event.ChannelMessage.ChannelArn)?.push(callbackId)
    assert.deepEqual([...handedOver.values()], ids)
  })
}

/** Finding and loading the steps of a killed process takes many turns of the event loop. */
async function untilNothingIsRead(stage: FlowStage): Promise<void> {
  let reads: number
  do {
    reads = stage.store.reads
    await stage.quiet()
  } while (stage.store.reads > reads)
}

/** Allows each message that is handed over, until none is left. */
async function allowAll(stage: FlowStage): Promise<void> {
  const { store } = stage
  const heads = await store.read.all<{ channel_id: number; channel_arn: string }>('SELECT * FROM channel_head')
  const numbers = new Map(heads.map(({ channel_arn, channel_id }) => [channel_arn, channel_id]))
  const allow = async (attempt: Attempt) => {
    const channelId = numbers.get(attempt.event.ChannelMessage.ChannelArn)
    const job = await readOwnJob(store.read, node.id, channelId!, attempt.callbackId)
    assert.deepEqual(await store.commit(verdictOn(job!, {}, stage.clock.now())), { result: 'decided' })
    void attempt.end({ result: 'completed' })
  }
  for (let allowed = 0; allowed < stage.attempts.length; ) {
    const some = stage.attempts.slice(allowed)
    allowed += some.length
    await Promise.all(some.map(allow))
    await stage.quiet()
  }
}
