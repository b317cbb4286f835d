import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { type Population, populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'
import { until } from '../../support/until.ts'

const server = await startTestServer()
const { identity, messaging } = server

/** The clients of a person with a key of its own. */
async function clientsOf(SubjectArn: string) {
  const credentials = await server.createKey({ Kind: 'USER', SubjectArn })
  const options = { endpoint: server.endpoint.http, region: 'us-east-1', credentials, maxAttempts: 1 }
  return { messaging: new ChimeSDKMessaging(options), identity: new ChimeSDKIdentity(options) }
}

const tag = (people: Population, Key: string, Value: string) =>
  identity.tagResource({ ResourceARN: people.appInstanceArn, Tags: [{ Key, Value }] })
const untag = (people: Population, Key: string) =>
  identity.untagResource({ ResourceARN: people.appInstanceArn, TagKeys: [Key] })

async function requiring(): Promise<{ people: Population; flow: string; other: string }> {
  const people = await populate(server)
  const flow = await people.createFlow(['first'])
  const other = await people.createFlow(['second'])
  await tag(people, 'carillon:required-flow', flow)
  return { people, flow, other }
}

const plain = { Type: 'STANDARD', Persistence: 'PERSISTENT', Content: 'hello' } as const

suite('carillon:required-flow, tried with a key of a moderator, the creator and an admin', () => {
  for (const role of ['moderator', 'owner', 'admin'] as const) {
    test(role, async () => {
      const { people, flow, other } = await requiring()
      const { channelArn: ChannelArn, appInstanceArn: AppInstanceArn, [role]: ChimeBearer } = people
      const own = await clientsOf(ChimeBearer)
      const call = { ChannelArn, ChimeBearer }
      const at = (ChannelFlowArn: string) => ({ ...call, ChannelFlowArn })
      await assertRefused(own.messaging.disassociateChannelFlow(at(flow)), 'Forbidden')
      await assertRefused(own.messaging.associateChannelFlow(at(other)), 'Forbidden')
      await own.messaging.associateChannelFlow(at(flow))

      const denied = { name: 'AccessDeniedException' }
      const Tags = [{ Key: 'carillon:required-flow', Value: other }]
      const TagKeys = ['carillon:required-flow']
      await assert.rejects(own.messaging.deleteChannelFlow({ ChannelFlowArn: flow }), denied)
      await assert.rejects(
        own.messaging.updateChannelFlow({ ChannelFlowArn: flow, Name: 'x', Processors: [] as never }),
        /AccessDenied|BadRequest/,
      )
      await assert.rejects(own.identity.tagResource({ ResourceARN: AppInstanceArn, Tags }), denied)
      await assert.rejects(own.identity.untagResource({ ResourceARN: AppInstanceArn, TagKeys }), denied)

      // Their messages are held, in a new channel from its first message on.
      const created = await own.messaging.createChannel({ AppInstanceArn, ChimeBearer, Name: 'Belfry' })
      for (const kind of [plain, { ...plain, Persistence: 'NON_PERSISTENT' }] as const) {
        const sent = await own.messaging.sendChannelMessage({ ChannelArn: created.ChannelArn, ChimeBearer, ...kind })
        assert.equal(sent.Status?.Value, 'PENDING')
      }
      const { Channel } = await messaging.describeChannel({ ChannelArn: created.ChannelArn, ChimeBearer })
      assert.equal(Channel?.ChannelFlowArn, flow)
    })
  }

  test('a channel that exists is held from the tag on, and its row says so later', async () => {
    const people = await populate(server)
    const before = await people.send()
    assert.equal(before.Status?.Value, 'SENT')
    const flow = await people.createFlow(['first'])
    await tag(people, 'carillon:required-flow', flow)
    const event = await people.sendHeld()
    await people.allow(event)
    const held = await people.updateHeld(before.MessageId)
    await people.allow(held)
    const call = { ChannelArn: people.channelArn, ChimeBearer: people.owner }
    await until(async () => (await messaging.describeChannel(call)).Channel?.ChannelFlowArn === flow)

    await assertRefused(messaging.deleteChannelFlow({ ChannelFlowArn: flow }), 'Conflict')
    await untag(people, 'carillon:required-flow')
    await messaging.disassociateChannelFlow({ ...call, ChannelFlowArn: flow })
    assert.equal((await people.send()).Status?.Value, 'SENT')
    await messaging.deleteChannelFlow({ ChannelFlowArn: flow })
    const { body } = await server.call('GET', '/carillon/v1/audit?max-results=50')
    const acts = body.AuditEvents.filter(({ Facts }: { Facts: object }) =>
      JSON.stringify(Facts).includes(people.appInstanceArn),
    )
    assert.ok(acts.some(({ Action }: { Action: string }) => Action === 'chime:UntagResource'))
  })

  test('a message keeps the flow with which it was accepted', async () => {
    const people = await populate(server)
    await people.attachFlow(['second'])
    const event = await people.sendHeld()
    await tag(people, 'carillon:required-flow', await people.createFlow(['first']))
    await people.allow(event)
    assert.equal(await people.status(event.ChannelMessage.MessageId), 'SENT')
  })

  test('names a flow of the AppInstance, or is refused', async () => {
    const [people, others] = [await populate(server), await populate(server)]
    const foreign = await others.createFlow(['first'])
    for (const value of ['first', people.channelArn, foreign, `${people.appInstanceArn}/channel-flow/none`]) {
      await assertRefused(tag(people, 'carillon:required-flow', value), 'BadRequest')
      await assertRefused(tag(people, 'carillon:default-flow', value), 'BadRequest')
    }
    await assertRefused(tag(people, 'carillon:unknown', 'x'), 'BadRequest')
  })
})

suite('the other settings of an AppInstance', () => {
  test('carillon:default-flow is the flow of a new channel, which a moderator may take off', async () => {
    const people = await populate(server)
    const flow = await people.createFlow(['first'])
    await tag(people, 'carillon:default-flow', flow)
    const ChannelArn = await people.createChannel()
    const call = { ChannelArn, ChimeBearer: people.owner }
    assert.equal((await messaging.describeChannel(call)).Channel?.ChannelFlowArn, flow)
    await messaging.disassociateChannelFlow({ ...call, ChannelFlowArn: flow })
    await assertRefused(messaging.deleteChannelFlow({ ChannelFlowArn: flow }), 'Conflict')
  })

  test('carillon:control-messages refuses CONTROL messages of keys below an operator', async () => {
    const people = await populate(server)
    const own = await clientsOf(people.member)
    const control = { ...plain, Type: 'CONTROL', Persistence: 'NON_PERSISTENT', Content: 'typing' } as const
    const call = { ChannelArn: people.channelArn, ChimeBearer: people.member, ...control }
    await own.messaging.sendChannelMessage(call)
    await tag(people, 'carillon:control-messages', 'refuse')
    await assertRefused(own.messaging.sendChannelMessage(call), 'Forbidden')
    await messaging.sendChannelMessage(call)
    await assertRefused(tag(people, 'carillon:control-messages', 'never'), 'BadRequest')
    await untag(people, 'carillon:control-messages')
    await own.messaging.sendChannelMessage(call)
  })

  test('carillon:channel-text lets only operators write the texts of channels', async () => {
    const people = await populate(server)
    const own = await clientsOf(people.owner)
    const { appInstanceArn: AppInstanceArn, owner: ChimeBearer, channelArn: ChannelArn } = people
    await tag(people, 'carillon:channel-text', 'operators')
    await assertRefused(own.messaging.createChannel({ AppInstanceArn, ChimeBearer, Name: 'x' }), 'Forbidden')
    await assertRefused(own.messaging.updateChannel({ ChannelArn, ChimeBearer, Name: 'x' }), 'Forbidden')
    await own.messaging.updateChannel({ ChannelArn, ChimeBearer, Mode: 'RESTRICTED' })
    await messaging.updateChannel({ ChannelArn, ChimeBearer, Name: 'Belfry' })
  })
})

suite('carillon:trace-days', () => {
  test('is a number of days from 1 to 365', async () => {
    const people = await populate(server)
    for (const days of ['1', '30', '365']) await tag(people, 'carillon:trace-days', days)
    for (const days of ['0', '366', '-1', '1.5', '007', '1e2', 'forever', '']) {
      await assert.rejects(
        tag(people, 'carillon:trace-days', days),
        /BadRequest|must be a number of days from 1 to 365/,
      )
    }
    await untag(people, 'carillon:trace-days')
  })
})
