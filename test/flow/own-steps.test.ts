import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { OwnSteps } from '../../src/flow/own-steps.ts'
import type { QueuedStep } from '../../src/flow/step-lanes.ts'
import { type QueueLimits, queueLimits, StepQueue } from '../../src/flow/step-queue.ts'
import { type Log, silentLog } from '../../src/runtime/log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { channel, heldMessage, lobby, node, openChannel, readJob, twoDaysMs, verdictOn } from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'
import { WatchedStore } from '../support/watched-store.ts'

const redact = 'redact'

async function open(t: TestContext, limits?: QueueLimits) {
  const store = new WatchedStore(await (await createStoreFile(t)).open())
  await openChannel(store)
  const clock = new ManualClock(0)
  const queue = new StepQueue<QueuedStep>(limits)
  const known = new Set<string>()
  const errors: string[] = []
  const log: Log = { ...silentLog, error: (_fields, text) => errors.push(text) }
  let walks = 0
  let nextWalk = Promise.withResolvers<void>()
  const found = () => {
    walks += 1
    nextWalk.resolve()
    nextWalk = Promise.withResolvers()
  }
  const isKnown = (callbackId: string) => known.has(callbackId)
  const ownSteps = new OwnSteps({ store, queue, node, clock, log, isKnown, found })
  t.after(() => ownSteps.close())
  /** Makes steps in a channel, each of them due at another time. */
  const addSteps = async (count: number, channelArn = lobby, owner = node.id) => {
    if (channelArn !== lobby) await openChannel(store, channelArn)
    return Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const step = { owner, due_at: twoDaysMs + index }
        const held = heldMessage({ channel_arn: channelArn }, undefined, { step })
        assert.equal((await store.commit(held)).result, 'accepted')
        return held.flow.step.callback_id
      }),
    )
  }
  const quiet = async () => {
    for (let idleTurns = 0; idleTurns < 3; idleTurns += 1) {
      await new Promise(setImmediate)
      if (store.pending > 0) idleTurns = -1
    }
  }
  /** Resolves when a walk has ended that `begin` begins. */
  const walk = async (begin: () => void) => {
    const ended = nextWalk.promise
    begin()
    await ended
    await quiet()
  }
  /** Advances the clock and waits for the reads. */
  const pass = async (byMs: number) => {
    clock.advance(byMs)
    await quiet()
  }
  return { store, clock, queue, known, errors, ownSteps, addSteps, quiet, walk, pass, walks: () => walks }
}

test('a walk parks the steps that are not in memory, in all channels', async (t) => {
  const { queue, known, ownSteps, addSteps, walk, walks } = await open(t)
  const channels = Array.from({ length: 70 }, (_, index) => channel(`walked-${index}`))
  for (const one of channels) for (const id of (await addSteps(3, one)).slice(0, 1)) known.add(id)
  await walk(() => ownSteps.request())
  assert.equal(walks(), 1)
  assert.deepEqual(queue.backlogOf(redact), { steps: 140, channels: 70 })
  for (const one of channels) assert.equal(queue.backlogOfChannel(redact, one), 2)
})

test('a walk reads a channel with more rows than one page', async (t) => {
  const { store, queue, ownSteps, addSteps, walk } = await open(t)
  await addSteps(1_200)
  store.reads = 0
  await walk(() => ownSteps.request())
  assert.deepEqual(queue.backlogOf(redact), { steps: 1_200, channels: 1 })
  // A page of each of the 64 shards, and two more of the one that has the channel.
  assert.equal(store.reads, 66)
})

test('a walk skips ended steps, steps of another node, and steps past their deadline', async (t) => {
  const { store, clock, queue, ownSteps, addSteps, walk } = await open(t)
  const [decided = ''] = await addSteps(1)
  await store.commit(verdictOn(await readJob(store.read, decided)))
  await addSteps(1, lobby, 'another node')
  const late = heldMessage({ channel_arn: lobby }, undefined, { deadlineMs: 5 })
  await store.commit(late)
  clock.advance(5)
  await walk(() => ownSteps.request())
  assert.deepEqual(queue.backlogOf(redact), { steps: 0, channels: 0 })
})

test('a walk that is requested during another one, or in the second after it, follows; two requests are one walk', async (t) => {
  const { clock, ownSteps, addSteps, walk, pass, walks } = await open(t)
  await addSteps(1)
  await walk(() => {
    ownSteps.request()
    ownSteps.request()
  })
  ownSteps.request()
  await pass(999)
  assert.equal(walks(), 1)
  await walk(() => clock.advance(1))
  assert.equal(walks(), 2)
  await pass(10_000)
  assert.equal(walks(), 2)
})

test('without a request, a walk begins only if the queue has forgotten steps', async (t) => {
  const { clock, queue, ownSteps, addSteps, quiet, walk, pass, walks } = await open(t, {
    ...queueLimits,
    starvedMax: 2,
  })
  ownSteps.run()
  await quiet()
  assert.equal(walks(), 0)
  for (const name of ['a', 'b', 'c', 'd']) await addSteps(1, channel(name))
  await walk(() => ownSteps.request())
  assert.equal(walks(), 1)
  const { channels } = queue.backlogOf(redact)
  assert.ok(channels > 0 && channels < 4)
  // What it remembers is refilled, so that there is room for the others.
  for (let claim = queue.claim(); claim; claim = queue.claim()) queue.refill(claim, [], undefined)
  assert.equal(queue.backlogOf(redact).channels, 0)
  await pass(999)
  assert.equal(walks(), 1)
  await walk(() => clock.advance(1))
  assert.equal(queue.backlogOf(redact).channels, channels)
})

test('a walk that a failed read ends is retried a second later', async (t) => {
  const { store, clock, queue, errors, ownSteps, addSteps, quiet, walk, walks } = await open(t)
  await addSteps(3)
  store.failingReads = true
  ownSteps.request()
  await quiet()
  assert.deepEqual(errors, ["reading this node's steps failed; trying again"])
  assert.equal(walks(), 0)
  store.failingReads = false
  await walk(() => clock.advance(1_000))
  assert.equal(queue.backlogOf(redact).steps, 3)
})

test('after close, nothing is read', async (t) => {
  const { store, ownSteps, addSteps, quiet, pass, walks } = await open(t)
  await addSteps(3)
  store.reads = 0
  ownSteps.request()
  ownSteps.close()
  await quiet()
  const { reads } = store
  assert.ok(reads <= 1)
  ownSteps.request()
  await pass(10_000)
  assert.deepEqual([walks(), store.reads], [0, reads])
})
