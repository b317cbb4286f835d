import assert from 'node:assert/strict'
import { suite } from 'node:test'
import { truncateAfterMs } from '../../src/store/wal-truncation.ts'
import { filesWith } from '../support/files-with.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { populate } from '../support/population.ts'
import { startTestServer, testOfSqlite } from '../support/running-server.ts'
import { until } from '../support/until.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const people = await populate(server)
const plainChannel = people.channelArn
const heldChannel = await people.createChannel()
people.channelArn = heldChannel
await people.attachFlow(['first'])
const twiceHeldChannel = await people.createChannel()
people.channelArn = twiceHeldChannel
await people.attachFlow(['first', 'second'])

/** Each creates a text that the server stores, and then deletes it. */
const waysToErase: { [sentence: string]: (text: string) => Promise<unknown> } = {
  'a denied message': async (Content) => people.deny(await people.sendHeld({ Content })),
  'a denied message that is not kept anyway': async (Content) =>
    people.deny(await people.sendHeld({ Content, Persistence: 'NON_PERSISTENT' })),
  'a released message that is not kept': async (Content) =>
    people.allow(await people.sendHeld({ Content, Persistence: 'NON_PERSISTENT' })),
  'the text that a processor has changed': async (Content) =>
    people.allow(await people.sendHeld({ Content }), { Content: 'changed' }),
  'the metadata that a processor has changed': async (Metadata) =>
    people.allow(await people.sendHeld({ Metadata }), { Metadata: 'changed' }),
  'a denied update': async (Content) => people.deny(await people.updateHeld(await sent(), { Content })),
  'the text before an update that was released': async (Content) =>
    people.allow(await people.updateHeld(await sent(Content))),
  'the text of an update that a processor has changed back': async (Content) =>
    people.allow(await people.updateHeld(await sent('hello'), { Content }), { Content: 'hello' }),
  'the text of one processor that the next one has changed back': async (Content) => {
    people.channelArn = twiceHeldChannel
    const event = await people.sendHeld({ Content: 'hello' })
    await people.allow(event, { Content })
    await people.allow(await server.processors.next(event.ChannelMessage.MessageId), { Content: 'hello' })
  },
  'an update that ends with a redaction': async (Content) => {
    const messageId = await sent()
    await people.updateHeld(messageId, { Content })
    await people.redact(messageId)
  },
  'an update that ends with the ban of its sender': async (Content) => {
    await people.updateHeld(await sent(), { Content })
    const { owner: ChimeBearer, member: MemberArn } = people
    const sender = { ChannelArn: heldChannel, ChimeBearer, MemberArn }
    await server.messaging.createChannelBan(sender)
    await server.messaging.deleteChannelBan(sender)
    await server.messaging.createChannelMembership({ ...sender, Type: 'DEFAULT' })
  },
  'a redacted message': async (Content) => people.redact(await sent(Content)),
  'a deleted message': async (Content) => people.delete(await sent(Content)),
  'the text before an update that meets no flow': async (Content) => {
    people.channelArn = plainChannel
    const { MessageId } = await people.send({ Content })
    await people.update(MessageId)
  },
  'the messages of a deleted channel': async (Content) => {
    people.channelArn = await people.createChannel()
    await people.send({ Content })
    await server.messaging.deleteChannel({ ChannelArn: people.channelArn, ChimeBearer: people.owner })
  },
}

/** A message that the flow has let pass. */
async function sent(Content = 'hello'): Promise<string | undefined> {
  const event = await people.sendHeld({ Content })
  await people.allow(event)
  return event.ChannelMessage.MessageId
}

suite('no file of the data folder has, some seconds later,', () => {
  for (const [index, [sentence, erase]] of Object.entries(waysToErase).entries()) {
    testOfSqlite(sentence, async () => {
      people.channelArn = heldChannel
      const text = `erased text number ${index}.`
      await erase(text)
      assert.notDeepEqual(await filesWith(text, server.dataDir), [], 'the text was on disk')
      clock.advance(truncateAfterMs)
      await until(async () => (await filesWith(text, server.dataDir)).length === 0)
    })
  }
})
