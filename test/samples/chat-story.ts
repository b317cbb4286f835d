import assert from 'node:assert/strict'
import { processor } from '../support/population.ts'
import type { TestServer } from '../support/running-server.ts'
import { ChatApp, isPresence, requireShowable } from './chat-app.ts'
import { hear, hearMessage, isConflict, isForbidden } from './hearing.ts'
import type { Answer, Sdk } from './sdk.ts'

/*
 * AWS's chat sample (apps/chat of aws-samples/amazon-chime-sdk): two people go through its pages. Ann creates the channels,
 * and so moderates them. What one does, the other's session hears.
 */

/** The people, and what they have made so far. */
interface Scene {
  server: TestServer
  sdk: Sdk
  appInstanceArn: string
  /** The back end acts as this user. */
  service: string
  ann: ChatApp
  bob: ChatApp
  lobby: string
  /** Of ann's message. */
  messageId: string
}

export type ChatStep = (scene: Scene) => Promise<void>

/** The processor's verdict: the message passes with these changes, or it is denied. */
async function decide(server: TestServer, MessageId: string, changes: object | undefined): Promise<void> {
  const { CallbackId, ChannelMessage } = await server.processors.next(MessageId)
  const { ChannelArn } = ChannelMessage
  const DeleteResource = changes === undefined
  await server.messaging.channelFlowCallback({
    CallbackId,
    ChannelArn,
    DeleteResource,
    ChannelMessage: { MessageId, ...changes },
  })
}

export const chatStory: Record<string, ChatStep> = {
  'the back end makes an AppInstance, its admin and a channel flow': async (scene) => {
    const { call } = scene.sdk
    const { AppInstanceArn } = await call('createAppInstance', { Name: 'Chat' })
    const user = { AppInstanceArn, AppInstanceUserId: 'service', Name: 'service' }
    const { AppInstanceUserArn } = await call('createAppInstanceUser', user)
    await call('createAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn: AppInstanceUserArn })
    await call('createChannelFlow', { AppInstanceArn, Name: 'Moderation', Processors: [processor('first')] })
    Object.assign(scene, { appInstanceArn: AppInstanceArn, service: AppInstanceUserArn })
  },

  'two people sign in, one of them for the second time': async (scene) => {
    const { sdk, appInstanceArn } = scene
    const before = await ChatApp.signIn(sdk, appInstanceArn, 'ann')
    before.session.stop()
    scene.ann = await ChatApp.signIn(sdk, appInstanceArn, 'ann')
    scene.bob = await ChatApp.signIn(sdk, appInstanceArn, 'bob')
  },

  'the start screen is empty, and the contacts are there': async ({ ann }) => {
    assert.deepEqual(await ann.openStartScreen(), [])
    assert.deepEqual((await ann.openContacts()).sort(), ['ann', 'bob', 'service'])
  },

  'ann creates a public channel, and moderates it': async (scene) => {
    const { ann, bob } = scene
    scene.lobby = await ann.createChannel({ Name: 'Lobby', Mode: 'UNRESTRICTED', Privacy: 'PUBLIC' })
    const { ChannelArn } = await ann.session.next('CREATE_CHANNEL_MEMBERSHIP')
    await ann.call('describeChannel', { ChannelArn })
    const { moderates, contents, members } = await ann.openChannel(ChannelArn)
    assert.deepEqual({ moderates, contents, members }, { moderates: true, contents: [], members: ['ann'] })
    assert.deepEqual(await bob.openStartScreen(), ['Lobby'])
  },

  'bob opens it from the start screen, and joins': async ({ ann, bob, lobby }) => {
    const { moderates, members } = await bob.openChannel(lobby)
    assert.deepEqual([moderates, members], [false, ['ann']])
    await assert.rejects(bob.typing(lobby), isForbidden)
    assert.equal(await bob.add(lobby, bob.arn), 'bob')
    const { ChannelArn, Member } = await hear('CREATE_CHANNEL_MEMBERSHIP', ann, bob)
    assert.equal(Member.Arn, bob.arn)
    await bob.call('describeChannel', { ChannelArn })
  },

  'they talk, and see each other typing': async (scene) => {
    const { ann, bob, lobby } = scene
    await bob.typing(lobby)
    const indicator = await hearMessage('CREATE_CHANNEL_MESSAGE', ann, bob)
    assert.match(indicator.Content, /Typing/)
    assert.ok(indicator.LastUpdatedTimestamp)
    const { MessageId, status } = await ann.say(lobby, 'hello 🔔', { Metadata: '{"attachments":[]}' })
    scene.messageId = MessageId
    assert.equal(status, 'SENT')
    const message = await hearMessage('CREATE_CHANNEL_MESSAGE', ann, bob)
    assert.deepEqual([message.Content, message.Metadata], ['hello 🔔', '{"attachments":[]}'])
    assert.deepEqual((await bob.openChannel(lobby)).contents, ['hello 🔔'])
  },

  'they see each other come': async ({ ann, bob, lobby }) => {
    const isBobs = (message: Answer) => isPresence(message) && message.Sender.Arn === bob.arn
    await bob.openChannel(lobby)
    const { Content, LastUpdatedTimestamp } = await ann.session.next('CREATE_CHANNEL_MESSAGE', isBobs)
    assert.equal(Content, 'P|Auto|Online')
    assert.ok(LastUpdatedTimestamp)
  },

  'bob scrolls up through more than a page': async ({ ann, bob, lobby }) => {
    const said = Array.from({ length: 60 }, (_, index) => `number ${index}`)
    for (const content of said) {
      await bob.say(lobby, content)
      await hearMessage('CREATE_CHANNEL_MESSAGE', ann, bob)
    }
    assert.deepEqual(await bob.scrollToTop(lobby), ['hello 🔔', ...said])
  },

  'ann edits her message, and then redacts it': async ({ ann, bob, lobby, messageId }) => {
    await ann.edit(lobby, messageId, 'hello again')
    const { Content } = await hearMessage('UPDATE_CHANNEL_MESSAGE', ann, bob)
    assert.equal(Content, 'hello again')
    await ann.redact(lobby, messageId)
    const redacted = await hearMessage('REDACT_CHANNEL_MESSAGE', ann, bob)
    assert.deepEqual([redacted.MessageId, redacted.Redacted, redacted.Content], [messageId, true, undefined])
    await assert.rejects(bob.edit(lobby, messageId, 'not mine'), isForbidden)
  },

  'as the moderator she redacts what bob said': async ({ ann, bob, lobby }) => {
    const { MessageId } = await bob.say(lobby, 'rude')
    await hearMessage('CREATE_CHANNEL_MESSAGE', ann, bob)
    await ann.redact(lobby, MessageId)
    await hearMessage('REDACT_CHANNEL_MESSAGE', ann, bob)
  },

  'she edits the channel, and the pages show all of it anew': async ({ ann, bob, lobby }) => {
    const { Metadata } = (await ann.openChannel(lobby)).channel
    await ann.call('updateChannel', { ChannelArn: lobby, Name: 'Hall', Mode: 'UNRESTRICTED', Metadata })
    const channel = await hear('UPDATE_CHANNEL', ann, bob)
    const { ChannelArn, Name, Mode, Privacy } = channel
    assert.deepEqual([ChannelArn, Name, Mode, Privacy], [lobby, 'Hall', 'UNRESTRICTED', 'PUBLIC'])
    assert.equal(channel.Metadata, Metadata)
  },

  'she attaches the flow, which holds a message until its processor allows it': async ({ server, ann, bob, lobby }) => {
    await ann.attachFlow(lobby)
    assert.equal((await ann.openChannel(lobby)).flow, 'Moderation')
    const { MessageId, status } = await bob.say(lobby, 'may I?')
    assert.equal(status, 'PENDING')
    const pending = await hearMessage('PENDING_CREATE_CHANNEL_MESSAGE', bob)
    assert.equal(pending.MessageId, MessageId)
    const { ChannelMessage } = await bob.call('getChannelMessage', { ChannelArn: lobby, MessageId })
    requireShowable(ChannelMessage)
    await decide(server, MessageId, { Content: 'may I, please?' })
    const sent = await hearMessage('CREATE_CHANNEL_MESSAGE', ann, bob)
    assert.deepEqual([sent.MessageId, sent.Content], [MessageId, 'may I, please?'])
  },

  'what the processor denies only its sender hears of': async ({ server, bob, lobby }) => {
    const { MessageId } = await bob.say(lobby, 'bad words')
    await hearMessage('PENDING_CREATE_CHANNEL_MESSAGE', bob)
    await decide(server, MessageId, undefined)
    const denied = await hearMessage('DENIED_CREATE_CHANNEL_MESSAGE', bob)
    assert.deepEqual([denied.MessageId, denied.Status.Value], [MessageId, 'DENIED'])
  },

  'she detaches the flow': async ({ ann, lobby }) => {
    const { ChannelFlowArn } = (await ann.openChannel(lobby)).channel
    await ann.call('disassociateChannelFlow', { ChannelArn: lobby, ChannelFlowArn })
    assert.equal((await ann.openChannel(lobby)).flow, undefined)
  },

  'she starts a meeting: a channel of its own with the same members, announced in this one': async (scene) => {
    const { ann, bob, lobby, service, sdk } = scene
    const meeting = await ann.createChannel({ Name: 'Hall Instant Meeting', Mode: 'RESTRICTED', Privacy: 'PRIVATE' })
    await ann.session.next('CREATE_CHANNEL_MEMBERSHIP')
    await assert.rejects(ann.add(meeting, ann.arn), isConflict)
    await ann.add(meeting, bob.arn)
    await hear('CREATE_CHANNEL_MEMBERSHIP', ann, bob)
    const asService = { ChimeBearer: service, ChannelArn: meeting }
    await sdk.call('describeChannel', asService)
    await sdk.call('describeChannelMembership', { ...asService, MemberArn: ann.arn })
    const Metadata = JSON.stringify({ isMeeting: true, meetingId: 'm' })
    await ann.call('updateChannel', { ChannelArn: meeting, Name: 'Meeting', Mode: 'RESTRICTED', Metadata })
    assert.equal((await hear('UPDATE_CHANNEL', ann, bob)).Metadata, Metadata)
    const about = { Persistence: 'NON_PERSISTENT', Metadata: '{"isMeetingInfo":true}' }
    await ann.say(lobby, JSON.stringify({ channelArn: meeting, inviter: 'ann' }), about)
    assert.equal((await hearMessage('CREATE_CHANNEL_MESSAGE', ann, bob)).Metadata, about.Metadata)
    assert.deepEqual(await bob.openStartScreen(), ['Hall', 'Meeting'])
    await ann.call('deleteChannel', { ChannelArn: meeting })
    assert.equal((await hear('DELETE_CHANNEL', ann, bob)).ChannelArn, meeting)
  },

  'she bans bob, who is gone and cannot come back, and lifts the ban': async ({ ann, bob, lobby }) => {
    assert.deepEqual(await ann.openBans(lobby), [])
    await ann.call('createChannelBan', { ChannelArn: lobby, MemberArn: bob.arn })
    const { Member } = await hear('DELETE_CHANNEL_MEMBERSHIP', ann, bob)
    assert.equal(Member.Arn, bob.arn)
    assert.deepEqual(await ann.openBans(lobby), [bob.arn])
    await assert.rejects(bob.add(lobby, bob.arn), isForbidden)
    await ann.call('deleteChannelBan', { ChannelArn: lobby, MemberArn: bob.arn })
    assert.deepEqual(await ann.openBans(lobby), [])
  },

  'she adds bob, and takes him out; he joins once more, and leaves': async ({ ann, bob, lobby }) => {
    assert.equal(await ann.add(lobby, bob.arn), 'bob')
    await hear('CREATE_CHANNEL_MEMBERSHIP', ann, bob)
    await ann.remove(lobby, bob.arn)
    await hear('DELETE_CHANNEL_MEMBERSHIP', ann, bob)
    await bob.add(lobby, bob.arn)
    await hear('CREATE_CHANNEL_MEMBERSHIP', ann, bob)
    await bob.remove(lobby, bob.arn)
    await hear('DELETE_CHANNEL_MEMBERSHIP', ann, bob)
    assert.deepEqual((await ann.openChannel(lobby)).members, ['ann'])
  },

  'she deletes the channel, and both sign out': async ({ ann, bob, lobby }) => {
    await ann.call('deleteChannel', { ChannelArn: lobby })
    await ann.session.next('DELETE_CHANNEL')
    await assert.rejects(ann.call('describeChannel', { ChannelArn: lobby }), isForbidden)
    assert.deepEqual(await bob.openStartScreen(), [])
    for (const { session } of [ann, bob]) session.stop()
  },
}
