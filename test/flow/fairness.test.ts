import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { appInstanceArn, channelArn } from '../../src/contract/arn.ts'
import { queueLimits } from '../../src/flow/step-queue.ts'
import type { HandOff } from '../../src/processor/target.ts'
import { type Attempt, type FlowStage, openStage } from '../support/flow-stage.ts'
import { awsLocation, channel, openChannel, processors } from '../support/rows.ts'

/*
 * Whatever the messages of one channel do at a processor, a message of another channel is handed over within one
 * processor time and decided within two, unless all places are taken by different channels. Whatever the messages of
 * other processors do, in however many channels, it is handed over at once if its processor has a place.
 */

const busy = channelArn(appInstanceArn(awsLocation, 'busy'), 'busy')
const alsoBusy = channelArn(appInstanceArn(awsLocation, 'busy'), 'also-busy')
const calm = channelArn(appInstanceArn(awsLocation, 'calm'), 'calm')
const places = 8

/** What the processor does with a message of a busy channel, and for how long it has it. */
interface Behaviour {
  processorMs: number
  end: HandOff
  decides: boolean
}

const behaviours: Record<string, Behaviour> = {
  waits: { processorMs: 1_000, end: { result: 'completed' }, decides: true },
  crashes: { processorMs: 1_000, end: { result: 'crashed', reason: 'it threw' }, decides: false },
  'never returns until its time-out': {
    processorMs: 60_000,
    end: { result: 'crashed', reason: 'it timed out' },
    decides: false,
  },
}

async function openPlay(context: TestContext, behaviour: Behaviour, options = {}): Promise<Play> {
  const stage = await openStage(context, { inFlightMax: places, ...options })
  for (const channel of [busy, alsoBusy, calm]) await openChannel(stage.store, channel)
  return new Play(stage, behaviour)
}

/** A processor that has each message for its time: as the behaviour says for the busy channels, well for the calm one. */
class Play {
  readonly stage: FlowStage
  readonly decidedAt = new Map<string, number>()
  #behaviour: Behaviour

  constructor(stage: FlowStage, behaviour: Behaviour) {
    this.stage = stage
    this.#behaviour = behaviour
    stage.onAttempt = (attempt) => {
      const { clock } = stage
      clock.at(clock.now() + behaviour.processorMs, () => void this.#end(attempt))
    }
  }

  async sendMany(channel: string, messages: number): Promise<void> {
    for (let count = 0; count < messages; count += 1) await this.stage.send({ channel_arn: channel })
  }

  /** Sends one message into the calm channel, and lets pass the two processor times that it may take. */
  async assertCalmIsQuick(): Promise<void> {
    const { stage } = this
    const { processorMs } = this.#behaviour
    const sentAt = stage.clock.now()
    const callbackId = await stage.send({ channel_arn: calm })
    await stage.pass(2 * processorMs)
    const attempt = stage.attempts.find((one) => one.callbackId === callbackId)
    assert.ok(attempt, 'it was handed over')
    assert.ok(attempt.at - sentAt <= processorMs, `it was handed over after ${attempt.at - sentAt} ms`)
    const decidedAt = this.decidedAt.get(callbackId) ?? Number.POSITIVE_INFINITY
    assert.ok(decidedAt - sentAt <= 2 * processorMs, `it was decided after ${decidedAt - sentAt} ms`)
  }

  /** Lets time pass until busy messages are at the processor for the second, or third, time. */
  async passUntilAttempt(nth: number): Promise<void> {
    const { stage } = this
    const isThere = () => {
      const ids = stage.attempts.map(({ callbackId }) => callbackId)
      return ids.some((id) => ids.filter((other) => other === id).length >= nth)
    }
    while (!isThere()) await stage.pass(500)
  }

  async #end(attempt: Attempt): Promise<void> {
    const isCalm = attempt.event.ChannelMessage.ChannelArn === calm
    if (isCalm || this.#behaviour.decides) {
      await this.stage.decide(attempt.callbackId)
      this.decidedAt.set(attempt.callbackId, this.stage.clock.now())
    }
    void attempt.end(isCalm ? { result: 'completed' } : this.#behaviour.end)
  }
}

for (const [how, behaviour] of Object.entries(behaviours)) {
  test(`beside 40 messages at a processor that ${how}, another channel's is handed over and decided in time`, async (context) => {
    const play = await openPlay(context, behaviour)
    await play.sendMany(busy, 40)
    await play.assertCalmIsQuick()
  })

  test(`beside far more messages than fit into memory, at a processor that ${how}, it is as well`, async (context) => {
    const play = await openPlay(context, behaviour)
    await play.sendMany(busy, 300)
    for (let count = 0; count < 3; count += 1) await play.assertCalmIsQuick()
  })

  test(`beside so many channels of another processor that ${how} that memory is full, it is handed over at once`, async (context) => {
    const play = await openPlay(context, behaviour, { queueLimits: { ...queueLimits, stepsMax: 40, starvedMax: 40 } })
    const { stage } = play
    for (let count = 0; count < 60; count += 1) {
      const one = channel(`c${count}`)
      await openChannel(stage.store, one)
      await stage.send({ channel_arn: one }, processors(['stuck', 'ABORT']))
    }
    for (let count = 0; count < 3; count += 1) {
      const callbackId = await stage.send({ channel_arn: calm })
      assert.equal(stage.attempts.at(-1)?.callbackId, callbackId)
      await stage.pass(behaviour.processorMs)
    }
  })

  test(`beside two channels that take all places of a processor that ${how}, it is as well`, async (context) => {
    const play = await openPlay(context, behaviour)
    await play.sendMany(busy, 40)
    await play.sendMany(alsoBusy, 40)
    assert.deepEqual(play.stage.counts, [{ processor: 'redact', waiting: 72, inFlight: places }])
    for (let count = 0; count < 3; count += 1) await play.assertCalmIsQuick()
  })
}

for (const how of ['crashes', 'never returns until its time-out']) {
  test(`beside 40 messages that are retried at a processor that ${how}, it is as well`, async (context) => {
    const play = await openPlay(context, behaviours[how] as Behaviour)
    await play.sendMany(busy, 40)
    for (const nth of [2, 3]) {
      await play.passUntilAttempt(nth)
      const [counts] = play.stage.counts
      assert.ok(counts && counts.inFlight >= places - 1, 'they have the places')
      await play.assertCalmIsQuick()
    }
  })
}
