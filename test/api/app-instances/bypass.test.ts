import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { SendChannelMessageCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import type { Reader, Value } from '../../../src/store/store.ts'
import { type Population, populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'
import { SteeredStore } from '../../support/steered-store.ts'
import { until } from '../../support/until.ts'

/* Calls at the moment at which a flow becomes required, and ways that take several calls. bypass.slow.ts has the others. */

/** Stops a call after one of its reads. */
class SteeredReads extends SteeredStore {
  #stop: { text: RegExp; arrived: () => void; passed: Promise<void> } | undefined

  override get read(): Reader {
    const { read } = this.opened
    return {
      all: (text, ...values) => read.all(text, ...values),
      get: async <Row>(text: string, ...values: Value[]) => {
        const row = await read.get<Row>(text, ...values)
        const stop = this.#stop?.text.test(text) ? this.#stop : undefined
        if (!stop) return row
        this.#stop = undefined
        stop.arrived()
        await stop.passed
        return row
      },
    }
  }

  stopAfter(text: RegExp): { arrived: Promise<void>; pass(): void } {
    const [arrived, passed] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    this.#stop = { text, arrived: arrived.resolve, passed: passed.promise }
    return { arrived: arrived.promise, pass: passed.resolve }
  }
}

const store = new SteeredReads()
const server = await startTestServer({ aroundStore: store.around })
const { identity, messaging } = server

async function setStage() {
  const people = await populate(server)
  return { people, flow: await people.createFlow(['first']), other: await people.createFlow(['second']) }
}

const requireFlow = (people: Population, Value: string) =>
  identity.tagResource({ ResourceARN: people.appInstanceArn, Tags: [{ Key: 'carillon:required-flow', Value }] })

suite('a call that has read the channel when the flow becomes required', () => {
  test('a message is held by it', async () => {
    const { people, flow } = await setStage()
    const stopped = store.stop('AcceptMessage')
    const sent = people.send()
    const write = await stopped
    await requireFlow(people, flow)
    write.pass()
    assert.equal((await sent).Status?.Value, 'PENDING')
  })

  test('a NON_PERSISTENT message is held by it', async () => {
    const { people, flow } = await setStage()
    const resume = store.stopAfter(/AS bearer_id/)
    const sent = people.send({ Persistence: 'NON_PERSISTENT' })
    await resume.arrived
    await requireFlow(people, flow)
    resume.pass()
    assert.equal((await sent).Status?.Value, 'PENDING')
  })

  test('an update of a message is refused', async () => {
    const { people, flow } = await setStage()
    const { MessageId } = await people.send()
    const stopped = store.stop('AcceptUpdate')
    const updated = people.update(MessageId)
    const write = await stopped
    await requireFlow(people, flow)
    write.pass()
    await assertRefused(updated, 'Conflict')
    assert.equal((await people.read(MessageId)).Content, 'hello')
  })

  test('the flow of the channel is not taken off, or replaced', async () => {
    for (const call of ['disassociateChannelFlow', 'associateChannelFlow'] as const) {
      const { people, flow, other } = await setStage()
      const at = { ChannelArn: people.channelArn, ChimeBearer: people.owner, ChannelFlowArn: other }
      if (call === 'disassociateChannelFlow') await messaging.associateChannelFlow(at)
      const resume = store.stopAfter(/AS bearer_id/)
      const called = messaging[call](at)
      await resume.arrived
      await requireFlow(people, flow)
      resume.pass()
      await assertRefused(called, 'Forbidden')
    }
  })

  test('that it is written into the channel does not disturb an update', async () => {
    const { people, flow } = await setStage()
    const { MessageId } = await people.send()
    const call = { ChannelArn: people.channelArn, ChimeBearer: people.owner }
    await requireFlow(people, flow)
    const stopped = store.stop('AcceptUpdate')
    const updated = people.update(MessageId)
    const write = await stopped
    await until(async () => (await messaging.describeChannel(call)).Channel?.ChannelFlowArn === flow)
    write.pass()
    assert.equal((await updated).Status?.Value, 'PENDING')
  })
})

test('a channel that is created, or created again, has the flow from its first message on', async () => {
  const { people, flow } = await setStage()
  await requireFlow(people, flow)
  const room = { AppInstanceArn: people.appInstanceArn, ChimeBearer: people.owner, Name: 'x', ChannelId: 'room' }
  for (let life = 1; life <= 2; life += 1) {
    const { ChannelArn } = await messaging.createChannel(room)
    assert.equal((await people.send({ ChannelArn, ChimeBearer: people.owner })).Status?.Value, 'PENDING')
    await messaging.deleteChannel({ ChannelArn, ChimeBearer: people.owner })
  }
})

test('who leaves and joins again is held; the held message of a banned sender ends FAILED', async () => {
  const { people, flow } = await setStage()
  await requireFlow(people, flow)
  const { channelArn: ChannelArn, owner: ChimeBearer, member: MemberArn } = people
  await messaging.deleteChannelMembership({ ChannelArn, ChimeBearer: MemberArn, MemberArn })
  await messaging.createChannelMembership({ ChannelArn, ChimeBearer, MemberArn, Type: 'DEFAULT' })
  const held = await people.sendHeld()
  const { ChannelMessage } = held
  await messaging.createChannelBan({ ChannelArn, ChimeBearer, MemberArn })
  await assertRefused(people.allow(held), 'Forbidden')
  assert.equal(await people.status(ChannelMessage.MessageId), 'FAILED')
})

test('the required flow sees every text of a message', async () => {
  const { people, flow } = await setStage()
  await requireFlow(people, flow)
  const text = 'any text'
  const texts: Partial<SendChannelMessageCommandInput> = {
    Content: text,
    Metadata: text,
    ContentType: text,
    MessageAttributes: { name: { StringValues: [text] } },
    PushNotification: { Title: text, Body: text, Type: 'DEFAULT' },
    Target: [{ MemberArn: people.owner }],
  }
  const { ChannelMessage } = await people.sendHeld(texts)
  assert.deepEqual({ ...ChannelMessage, ...texts }, ChannelMessage)
})
