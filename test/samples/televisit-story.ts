import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { ChatApp } from './chat-app.ts'
import { hear, hearMessage, isConflict } from './hearing.ts'
import type { Answer, Sdk } from './sdk.ts'

/*
 * AWS's televisit sample (apps/televisit-demo of aws-samples/amazon-chime-sdk): a patient waits in a room where a bot
 * talks, until the doctor comes. It is the chat sample of earlier days, before there were presence and channel flows. Its
 * bot reads the messages from a stream, of which this server has none: here it is called by name.
 */

interface Scene {
  sdk: Sdk
  appInstanceArn: string
  bot: string
  patient: ChatApp
  doctor: ChatApp
  room: string
}

export type TelevisitStep = (scene: Scene) => Promise<void>

const botName = 'ModeratorBot'
const welcome = 'Welcome to the waiting room. Would you like to check in?'

/** Opens the room. If the bot is not there, the page adds it; then the bot says its welcome. */
async function openRoom({ sdk, bot }: Scene, app: ChatApp, ChannelArn: string) {
  // The page goes on without: only moderators may see the moderators.
  const { ChannelModerators = [] } = await app.call('listChannelModerators', { ChannelArn }).catch(() => ({}))
  const { contents } = await app.page(ChannelArn)
  await app.call('describeChannel', { ChannelArn })
  const { ChannelMemberships } = await app.call('listChannelMemberships', { ChannelArn })
  const names: string[] = ChannelMemberships.map(({ Member }: Answer) => Member.Name)
  if (!names.includes(botName)) await app.add(ChannelArn, bot)
  const message = { ChannelArn, Content: welcome, Persistence: 'PERSISTENT', Type: 'STANDARD' }
  await sdk.call('sendChannelMessage', { ChimeBearer: bot, ...message })
  return { moderators: ChannelModerators.map(({ Moderator }: Answer) => Moderator.Arn), contents, names }
}

export const televisitStory: Record<string, TelevisitStep> = {
  'the back end makes an AppInstance, and the bot its admin': async (scene) => {
    const { call } = scene.sdk
    const { AppInstanceArn } = await call('createAppInstance', { Name: `Televisit-${randomUUID()}` })
    const bot = { AppInstanceArn, AppInstanceUserId: botName, ClientRequestToken: '1030', Name: botName }
    const { AppInstanceUserArn } = await call('createAppInstanceUser', bot)
    assert.equal((await call('createAppInstanceUser', bot)).AppInstanceUserArn, AppInstanceUserArn)
    const admin = { AppInstanceArn, AppInstanceAdminArn: AppInstanceUserArn }
    await call('createAppInstanceAdmin', admin)
    await assert.rejects(call('createAppInstanceAdmin', admin), isConflict)
    Object.assign(scene, { appInstanceArn: AppInstanceArn, bot: AppInstanceUserArn })
  },

  'patient and doctor sign in, and have no channels': async (scene) => {
    const { sdk, appInstanceArn } = scene
    scene.patient = await ChatApp.signIn(sdk, appInstanceArn, `anon_${randomUUID()}`)
    scene.doctor = await ChatApp.signIn(sdk, appInstanceArn, 'doctor')
    for (const app of [scene.patient, scene.doctor]) {
      assert.deepEqual((await app.call('listChannelMembershipsForAppInstanceUser')).ChannelMemberships, [])
      assert.deepEqual((await app.call('listChannels', { AppInstanceArn: appInstanceArn })).Channels, [])
    }
    assert.equal((await scene.doctor.openContacts()).length, 3)
  },

  'the patient creates a waiting room, which the bot joins and speaks in': async (scene) => {
    const { patient, bot } = scene
    scene.room = await patient.createChannel({ Name: 'Waiting room', Mode: 'RESTRICTED', Privacy: 'PRIVATE' })
    await hear('CREATE_CHANNEL_MEMBERSHIP', patient)
    const { moderators, contents, names } = await openRoom(scene, patient, scene.room)
    assert.deepEqual([moderators, contents, names.length], [[patient.arn], [], 1])
    assert.equal((await hear('CREATE_CHANNEL_MEMBERSHIP', patient)).Member.Arn, bot)
    assert.equal((await hearMessage('CREATE_CHANNEL_MESSAGE', patient)).Sender.Name, botName)
  },

  'the bot edits what the patient says in another language, as the patient, and replies': async (scene) => {
    const { patient, bot, room, sdk } = scene
    const { MessageId } = await patient.say(room, 'Grüezi')
    await hearMessage('CREATE_CHANNEL_MESSAGE', patient)
    await patient.edit(room, MessageId, 'Grüezi Hello')
    assert.equal((await hearMessage('UPDATE_CHANNEL_MESSAGE', patient)).Content, 'Grüezi Hello')
    const reply = { ChannelArn: room, Content: 'Any fever?', Persistence: 'PERSISTENT', Type: 'STANDARD' }
    await sdk.call('sendChannelMessage', { ChimeBearer: bot, ...reply })
    await hearMessage('CREATE_CHANNEL_MESSAGE', patient)
    await patient.say(room, 'yes')
    await hearMessage('CREATE_CHANNEL_MESSAGE', patient)
    const { contents } = await patient.page(room)
    assert.deepEqual(contents.slice(-2), ['Any fever?', 'yes'])
  },

  'the patient adds the doctor, who opens the room': async (scene) => {
    const { patient, doctor, room } = scene
    assert.equal(await patient.add(room, doctor.arn), 'doctor')
    const { ChannelArn } = await hear('CREATE_CHANNEL_MEMBERSHIP', patient, doctor)
    const { contents, names } = await openRoom(scene, doctor, ChannelArn)
    assert.deepEqual(contents, [welcome, 'Grüezi Hello', 'Any fever?', 'yes'])
    assert.equal(names.length, 3)
    await hearMessage('CREATE_CHANNEL_MESSAGE', patient, doctor)
  },

  'the patient starts a meeting, and its back end looks whether the patient is a member': async (scene) => {
    const { patient, doctor, room: ChannelArn, bot, sdk } = scene
    const asBot = { ChimeBearer: bot, ChannelArn }
    const { Channel } = await sdk.call('describeChannel', asBot)
    const membership = await sdk.call('describeChannelMembership', { ...asBot, MemberArn: patient.arn })
    assert.equal(membership.ChannelMembership.Member.Arn, patient.arn)
    const Metadata = JSON.stringify({ isMeeting: true, meeting: '{}' })
    await patient.call('updateChannel', { ChannelArn, Name: Channel.Name, Mode: 'RESTRICTED', Metadata })
    assert.equal((await hear('UPDATE_CHANNEL', patient, doctor)).Metadata, Metadata)
    const about = { Persistence: 'NON_PERSISTENT', Metadata: '{"isMeetingInfo":true}' }
    await patient.say(ChannelArn, JSON.stringify({ channelArn: ChannelArn }), about)
    assert.equal((await hearMessage('CREATE_CHANNEL_MESSAGE', patient, doctor)).Metadata, about.Metadata)
  },

  'the patient redacts a message, and bans the doctor by mistake': async ({ patient, doctor, room }) => {
    const { MessageId } = await patient.say(room, 'not for the doctor')
    await hearMessage('CREATE_CHANNEL_MESSAGE', patient, doctor)
    await patient.redact(room, MessageId)
    await hearMessage('REDACT_CHANNEL_MESSAGE', patient, doctor)
    await patient.call('createChannelBan', { ChannelArn: room, MemberArn: doctor.arn })
    await hear('DELETE_CHANNEL_MEMBERSHIP', patient, doctor)
    assert.deepEqual(await patient.openBans(room), [doctor.arn])
    await patient.call('deleteChannelBan', { ChannelArn: room, MemberArn: doctor.arn })
    await patient.add(room, doctor.arn)
    await hear('CREATE_CHANNEL_MEMBERSHIP', patient, doctor)
  },

  'the doctor leaves, and the patient deletes the room': async ({ patient, doctor, room }) => {
    await doctor.remove(room, doctor.arn)
    await hear('DELETE_CHANNEL_MEMBERSHIP', patient, doctor)
    await patient.call('deleteChannel', { ChannelArn: room })
    assert.equal((await hear('DELETE_CHANNEL', patient)).ChannelArn, room)
    for (const { session } of [patient, doctor]) session.stop()
  },
}
