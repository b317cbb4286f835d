import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credentials } from '../../../src/keys/key.ts'
import { type Population, populate } from '../../support/population.ts'
import { startTestServer } from '../../support/running-server.ts'
import { SteeredStore } from '../../support/steered-store.ts'
import { addActingFunction, TestKeys } from '../../support/test-keys.ts'
import { type Caller, smuggled, waysOf } from './bypass-ways.ts'

/*
 * Each way round carillon:required-flow with each kind of key: below an operator's none leads past the flow. In the end the
 * operator's way does, and is in the audit log.
 */

const store = new SteeredStore()
const server = await startTestServer({ aroundStore: store.around })
await addActingFunction(server, 'acting', ['moderator'])
await server.restart()
const { identity, messaging } = server
const made = new TestKeys(server, store)

const text = { Content: 'before', Persistence: 'PERSISTENT' } as const
const hourMs = 3_600_000
const userRoles = ['member', 'moderator', 'owner', 'admin'] as const

interface Stage {
  people: Population
  others: Population
  flow: string
  other: string
  foreign: string
}

async function setStage(): Promise<Stage> {
  const [people, others] = [await populate(server), await populate(server)]
  const [flow, other] = [await people.createFlow(['first']), await people.createFlow(['second', 'acting'])]
  return { people, others, flow, other, foreign: await others.createFlow(['first']) }
}

/** Keys of users, and of functions that act as one, each with the role of its user. */
async function keysOfUsers({ people }: Stage): Promise<[string, (typeof userRoles)[number], Credentials][]> {
  const keys: [string, (typeof userRoles)[number], Credentials][] = []
  for (const role of userRoles) {
    const user = { kind: 'user', subjectArn: people[role] } as const
    keys.push([`${role}`, role, await made.kept(user)])
    keys.push([`${role}, temporary`, role, await made.temporary(user)])
    const directory = { ...user, directory: true }
    keys.push([`${role}, with directory, for an hour`, role, await made.kept(directory, server.clock.now() + hourMs)])
  }
  return [...keys, ['function that acts as the moderator', 'moderator', await made.ofFunction('acting')]]
}

/** Keys that act as no user. `decides`: it decides about held messages, which is what it is for. */
async function otherKeys({ people, others, flow, other }: Stage): Promise<[string, Credentials, decides?: true][]> {
  const { appInstanceArn } = people
  const operator = { kind: 'operator', subjectArn: appInstanceArn } as const
  const callback = (subjectArn: string) => ({ kind: 'callback', subjectArn }) as const
  return [
    ['viewer', await made.kept({ kind: 'operator', role: 'viewer' })],
    ['viewer of the AppInstance', await made.kept({ ...operator, role: 'viewer' })],
    ['viewer of the AppInstance, temporary', await made.temporary({ ...operator, role: 'viewer' })],
    ['reviewer', await made.kept({ kind: 'operator', role: 'reviewer' }), true],
    ['reviewer of the AppInstance', await made.kept({ ...operator, role: 'reviewer' }), true],
    ['reviewer of the AppInstance, temporary', await made.temporary({ ...operator, role: 'reviewer' }), true],
    ['operator of another AppInstance', await made.kept({ kind: 'operator', subjectArn: others.appInstanceArn })],
    ['admin of another AppInstance', await made.kept({ kind: 'user', subjectArn: others.admin, directory: true })],
    ['callback', await made.kept(callback(appInstanceArn)), true],
    ['callback of the flow', await made.kept(callback(flow)), true],
    ['callback of the flow, temporary', await made.temporary(callback(flow)), true],
    ['callback of another flow', await made.kept(callback(other))],
    ['callback of another AppInstance', await made.kept(callback(others.appInstanceArn))],
    ["the flow's function", await made.ofFunction('first'), true],
    ['function of another flow', await made.ofFunction('second')],
  ]
}

/** A channel with messages that no flow has held. The member is no more than a member of it. */
async function placeOf(people: Population, ChimeBearer: string): Promise<Caller['place']> {
  const creator = ChimeBearer === people.member ? people.owner : ChimeBearer
  const { ChannelArn } = await messaging.createChannel({
    AppInstanceArn: people.appInstanceArn,
    ChimeBearer: creator,
    Name: 'Belfry',
    MemberArns: [people.stranger, people.member, people.owner],
  })
  const send = async (Type: 'STANDARD' | 'CONTROL') =>
    (await messaging.sendChannelMessage({ ...text, ChannelArn, ChimeBearer, Type })).MessageId!
  return { ChannelArn: ChannelArn!, messageId: await send('STANDARD'), controlId: await send('CONTROL') }
}

async function outcomeOf(caller: Caller, way: ReturnType<typeof waysOf>[string]): Promise<string> {
  const { method, target, body, bears } = way
  const call = { credentials: caller.credentials, ...(body && { body }), ...(bears && { bearer: caller.bearer }) }
  const { status, type, body: answer } = await server.call(method, target, call)
  if (status >= 300) return type?.replace('Exception', '') ?? `${status}`
  return answer?.Status?.Value === 'PENDING' ? 'held' : `done: ${status} ${JSON.stringify(answer)}`
}

const setTags = (people: Population, Tags: Record<string, string>) =>
  identity.tagResource({
    ResourceARN: people.appInstanceArn,
    Tags: Object.entries(Tags).map(([Key, Value]) => ({ Key, Value })),
  })

/** What an operator has set. */
const policyOf = ({ people, flow }: Stage) =>
  store.read.all(
    `SELECT app_instance.*, processors_json, deadline_ms FROM app_instance, channel_flow
     WHERE app_instance.app_instance_arn = $1 AND channel_flow_arn = $2`,
    people.appInstanceArn,
    flow,
  )

async function heldMessageOf({ ChannelArn }: Caller['place'], ChimeBearer: string): Promise<Caller['held']> {
  const { MessageId } = await messaging.sendChannelMessage({ ...text, ChannelArn, ChimeBearer, Type: 'STANDARD' })
  return { MessageId: MessageId!, CallbackId: (await server.processors.next(MessageId)).CallbackId }
}

/** Ways that are the purpose of keys that decide. */
const decisions = ['ChannelFlowCallback for the own message', 'CompleteMessage of the own message']

test('no key below an operator gets past a required flow; an operator takes it off, and the audit log says so', async () => {
  const stage = await setStage()
  const { people, flow } = stage
  const { appInstanceArn } = people
  const [users, others] = [await keysOfUsers(stage), await otherKeys(stage)]
  const tried = [
    ...users.map(([name, role, credentials]) => ({
      name,
      bearer: people[role],
      credentials,
      ofUser: true,
      decides: false,
    })),
    ...others.map(([name, credentials, decides = false]) => ({
      name,
      bearer: people.owner,
      credentials,
      ofUser: false,
      decides,
    })),
  ]
  const places = new Map<string, Caller['place']>()
  for (const { name, bearer } of tried) places.set(name, await placeOf(people, bearer))
  const witness = await server.session(people.stranger)
  await setTags(people, {
    'carillon:required-flow': flow,
    'carillon:control-messages': 'refuse',
    'carillon:channel-text': 'operators',
  })
  const policy = await policyOf(stage)

  for (const { name, bearer, credentials, ofUser, decides } of tried) {
    const place = places.get(name)!
    const held = await heldMessageOf(place, bearer)
    const caller = { ...stage, bearer, credentials, place, held }
    const found: Record<string, string> = {}
    const wanted: Record<string, string> = {}
    for (const [title, way] of Object.entries(waysOf(caller))) {
      if (decides && decisions.includes(title)) continue
      wanted[title] = ofUser ? way.users : 'AccessDenied'
      found[title] = await outcomeOf(caller, way)
      // Keys that decide elsewhere may call the operation, and the message does not exist for them.
      if (decisions.includes(title) && ['Forbidden', 'NotFound'].includes(found[title])) found[title] = 'AccessDenied'
    }
    assert.deepEqual(found, wanted, name)
  }
  assert.deepEqual(await policyOf(stage), policy)

  const operators = [
    await made.kept({ kind: 'operator', subjectArn: appInstanceArn }),
    await made.temporary({ kind: 'operator', subjectArn: appInstanceArn }),
    server.credentials,
  ]
  const resource = { ResourceARN: appInstanceArn, TagKeys: ['carillon:required-flow'] }
  for (const credentials of operators) {
    await setTags(people, { 'carillon:required-flow': flow })
    const target = '/tags?operation=untag-resource'
    assert.equal((await server.call('POST', target, { body: resource, credentials })).status, 204)
    const act = await store.read.get<object>(
      'SELECT action, access_key_id, scope_arn FROM audit ORDER BY number DESC LIMIT 1',
    )
    const by = { action: 'chime:UntagResource', access_key_id: credentials.accessKeyId, scope_arn: appInstanceArn }
    assert.deepEqual({ ...act }, by)
  }
  // Each channel still has the flow, as a channel's own: it can be taken off now, and the next message arrives at once.
  const waiting = new Set<string>()
  for (const { ChannelArn } of places.values()) {
    const call = { ChannelArn, ChimeBearer: people.admin, ChannelFlowArn: flow }
    await messaging.disassociateChannelFlow(call).catch(() => {})
    const last = { ...text, Content: 'last', ChannelArn, ChimeBearer: people.owner, Type: 'STANDARD' } as const
    assert.equal((await messaging.sendChannelMessage(last)).Status?.Value, 'SENT')
    waiting.add(ChannelArn)
  }
  while (waiting.size > 0) {
    const { payload } = await witness.next()
    assert.ok(!JSON.stringify(payload).includes(smuggled), `a member receives ${JSON.stringify(payload)}`)
    const { Content, ChannelArn } = payload as { Content?: string; ChannelArn: string }
    if (Content === 'last') waiting.delete(ChannelArn)
  }
})
