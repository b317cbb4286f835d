import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { processor } from '../support/population.ts'
import type { TestServer } from '../support/running-server.ts'
import { ChatApp, requireShowable } from './chat-app.ts'
import { hear, hearMessage } from './hearing.ts'
import type { Answer, Sdk } from './sdk.ts'

/*
 * AWS's telehealth sample (apps/telehealth-widget of aws-samples/amazon-chime-sdk): a doctor makes an appointment, which is
 * a channel whose flow keeps the presence of both in the channel's metadata. Everything they send has metadata.
 */

interface Scene {
  server: TestServer
  sdk: Sdk
  appInstanceArn: string
  admin: string
  flow: string
  doctor: ChatApp
  patient: ChatApp
  appointment: string
}

export type TelehealthStep = (scene: Scene) => Promise<void>

/** The appointments, by the metadata of the channels that the user moderates. */
async function openAppointments(app: ChatApp): Promise<Answer[]> {
  const moderated: Answer[] = []
  let NextToken: string | undefined
  do {
    const answer = await app.call('listChannelsModeratedByAppInstanceUser', { NextToken })
    moderated.push(...answer.Channels)
    NextToken = answer.NextToken
  } while (NextToken)
  return moderated.map(({ ChannelSummary }) => JSON.parse(ChannelSummary.Metadata))
}

const say = (app: ChatApp, ChannelArn: string, content: string, metadata: object, Persistence = 'PERSISTENT') =>
  app.say(ChannelArn, encodeURIComponent(content), { Metadata: JSON.stringify(metadata), Persistence })

/** The presence processor: it writes a new presence into the channel, and denies a message that brings nothing new. */
async function runProcessor({ server, sdk, admin: ChimeBearer }: Scene, messageId: string): Promise<void> {
  const { CallbackId, ChannelMessage } = await server.processors.next(messageId)
  const { ChannelArn, MessageId, Content, Metadata, Sender } = ChannelMessage
  const { presence, clientId } = JSON.parse(Metadata!)
  let DeleteResource = false
  if (presence) {
    const { Channel } = await sdk.call('describeChannel', { ChannelArn, ChimeBearer })
    const { presenceMap, ...rest } = JSON.parse(Channel.Metadata)
    const id = Sender.Arn.split('/user/')[1]!
    DeleteResource = presenceMap[id].presence === presence
    const changed = { ...rest, clientId, presenceMap: { ...presenceMap, [id]: { presence } } }
    const { Name, Mode } = Channel
    const update = { ChannelArn, ChimeBearer, Name, Mode, Metadata: JSON.stringify(changed) }
    if (!DeleteResource) await sdk.call('updateChannel', update)
  }
  const verdict = { CallbackId, ChannelArn, DeleteResource, ChannelMessage: { MessageId, Content, Metadata } }
  await sdk.call('channelFlowCallback', verdict)
}

/** Sends it and runs the processor. The sender's page waits for the event with the metadata that it has sent. */
async function sayThrough(scene: Scene, app: ChatApp, content: string, metadata: object, Persistence?: string) {
  const { MessageId, status } = await say(app, scene.appointment, content, metadata, Persistence)
  assert.equal(status, 'PENDING')
  const pending = await hearMessage('PENDING_CREATE_CHANNEL_MESSAGE', app)
  assert.deepEqual(JSON.parse(pending.Metadata), metadata)
  await runProcessor(scene, MessageId)
}

const checkedIn = { presence: 'CheckedIn', clientId: 'tab' }

export const telehealthStory: Record<string, TelehealthStep> = {
  'the back end makes an AppInstance with an admin and the presence flow': async (scene) => {
    const { call } = scene.sdk
    const { AppInstanceArn } = await call('createAppInstance', { Name: `Telehealth-${randomUUID()}` })
    const user = { AppInstanceArn, AppInstanceUserId: 'admin', ClientRequestToken: randomUUID(), Name: 'admin' }
    const { AppInstanceUserArn: AppInstanceAdminArn } = await call('createAppInstanceUser', user)
    const { AppInstanceAdmin } = await call('createAppInstanceAdmin', { AppInstanceArn, AppInstanceAdminArn })
    const ClientRequestToken = `CreateChannelFlow-${randomUUID()}`
    const flow = { AppInstanceArn, Name: 'Presence', Processors: [processor('first')], ClientRequestToken }
    const { ChannelFlowArn } = await call('createChannelFlow', flow)
    Object.assign(scene, { appInstanceArn: AppInstanceArn, admin: AppInstanceAdmin.Arn, flow: ChannelFlowArn })
  },

  'doctor and patient sign in, and have no appointment': async (scene) => {
    scene.doctor = await ChatApp.signIn(scene.sdk, scene.appInstanceArn, 'doctor')
    scene.patient = await ChatApp.signIn(scene.sdk, scene.appInstanceArn, 'patient')
    for (const app of [scene.doctor, scene.patient]) assert.deepEqual(await openAppointments(app), [])
  },

  'the doctor makes an appointment: a channel with the flow, whose moderator the patient is, too': async (scene) => {
    const { doctor, patient, appInstanceArn: AppInstanceArn, flow: ChannelFlowArn } = scene
    const presenceMap = { doctor: { presence: 'Added' }, patient: { presence: 'Added' } }
    const Metadata = JSON.stringify({ appointmentTimestamp: new Date(0), presenceMap })
    const channel = { AppInstanceArn, Name: randomUUID(), Metadata, Mode: 'RESTRICTED', Privacy: 'PUBLIC' }
    const { ChannelArn } = await doctor.call('createChannel', channel)
    scene.appointment = ChannelArn
    await doctor.call('associateChannelFlow', { ChannelArn, ChannelFlowArn })
    const batch = { ChannelArn, MemberArns: [doctor.arn, patient.arn], Type: 'DEFAULT' }
    const { BatchChannelMemberships, Errors } = await doctor.call('batchCreateChannelMembership', batch)
    assert.deepEqual(
      BatchChannelMemberships.Members.map(({ Arn }: Answer) => Arn),
      [patient.arn],
    )
    assert.deepEqual(
      Errors.map(({ MemberArn, ErrorCode }: Answer) => [MemberArn, ErrorCode]),
      [[doctor.arn, 'Conflict']],
    )
    await doctor.call('createChannelModerator', { ChannelArn, ChannelModeratorArn: patient.arn })
    const { Name, Mode } = channel
    const more = JSON.stringify({ ...JSON.parse(Metadata), sfnExecutionArn: 'arn:aws:states:::execution' })
    await doctor.call('updateChannel', { ChannelArn, Name, Mode, Metadata: more })
    await hear('BATCH_CREATE_CHANNEL_MEMBERSHIP', doctor, patient)
    assert.equal((await hear('UPDATE_CHANNEL', doctor, patient)).Metadata, more)
    for (const app of [doctor, patient]) assert.equal((await openAppointments(app)).length, 1)
  },

  'the patient checks in: the processor notes it in the channel, and both are told': async (scene) => {
    const { doctor, patient } = scene
    await sayThrough(scene, patient, 'CheckedIn', checkedIn)
    const { Metadata } = await hear('UPDATE_CHANNEL', doctor, patient)
    assert.equal(JSON.parse(Metadata).presenceMap.patient.presence, 'CheckedIn')
    await hearMessage('CREATE_CHANNEL_MESSAGE', doctor, patient)
  },

  'a second time it is denied, and the doctor is told nothing': async (scene) => {
    const { doctor, patient } = scene
    const heard = doctor.session.types.length
    await sayThrough(scene, patient, 'CheckedIn', checkedIn)
    const denied = await hearMessage('DENIED_CREATE_CHANNEL_MESSAGE', patient)
    assert.deepEqual(JSON.parse(denied.Metadata), checkedIn)
    await patient.say(scene.appointment, 'ping', { Persistence: 'NON_PERSISTENT', Type: 'CONTROL' })
    assert.equal((await hear('CREATE_CHANNEL_MESSAGE', doctor, patient)).Content, 'ping')
    assert.deepEqual(doctor.session.types.slice(heard), ['CREATE_CHANNEL_MESSAGE'])
  },

  'they talk, and the page finds its own message by its metadata': async (scene) => {
    const { doctor, patient, appointment } = scene
    const metadata = { clientId: 'tab', temporaryId: randomUUID() }
    await sayThrough(scene, doctor, 'how are you? 🔔', metadata)
    const message = await hearMessage('CREATE_CHANNEL_MESSAGE', doctor, patient)
    assert.deepEqual(JSON.parse(message.Metadata), metadata)
    const { ChannelMessages } = await patient.call('listChannelMessages', { ChannelArn: appointment })
    const sent = ChannelMessages.filter(({ Status }: Answer) => Status.Value === 'SENT')
    for (const one of sent) requireShowable(one)
    assert.deepEqual(
      sent.map(({ Content }: Answer) => decodeURIComponent(Content)),
      ['how are you? 🔔', 'CheckedIn'],
    )
  },

  'the doctor calls, and the patient accepts': async (scene) => {
    const { doctor, patient } = scene
    const invitation = { clientId: 'tab', isMeetingInvitation: true, meetingId: 'm', meetingInviteStatus: 'Unknown' }
    await sayThrough(scene, doctor, 'SendingInvite', invitation, 'NON_PERSISTENT')
    const { Metadata } = await hearMessage('CREATE_CHANNEL_MESSAGE', doctor, patient)
    assert.equal(JSON.parse(Metadata).meetingId, 'm')
    await sayThrough(scene, patient, 'Accepted', { ...invitation, meetingInviteStatus: 'Accepted' }, 'NON_PERSISTENT')
    await hearMessage('CREATE_CHANNEL_MESSAGE', doctor, patient)
  },

  'the doctor deletes the appointment': async ({ doctor, patient, appointment: ChannelArn }) => {
    const { Channel } = await doctor.call('describeChannel', { ChannelArn })
    assert.equal(JSON.parse(Channel.Metadata).sfnExecutionArn, 'arn:aws:states:::execution')
    await doctor.call('deleteChannel', { ChannelArn })
    assert.equal((await hear('DELETE_CHANNEL', doctor, patient)).ChannelArn, ChannelArn)
    for (const app of [doctor, patient]) assert.deepEqual(await openAppointments(app), [])
  },

  'the back end is taken down': async ({ sdk, appInstanceArn: AppInstanceArn, doctor, patient }) => {
    const { AppInstance } = await sdk.call('describeAppInstance', { AppInstanceArn })
    assert.equal(AppInstance.AppInstanceArn, AppInstanceArn)
    await sdk.call('deleteAppInstance', { AppInstanceArn })
    for (const { session } of [doctor, patient]) session.stop()
  },
}
