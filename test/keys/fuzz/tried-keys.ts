import { randomUUID } from 'node:crypto'
import type { GrantParameters } from '../../../src/keys/grant.ts'
import type { Credentials } from '../../../src/keys/key.ts'
import type { TestServer } from '../../support/running-server.ts'
import type { TestKeys } from '../../support/test-keys.ts'
import type { House, Zone } from './fuzz-world.ts'

/** What a key may read, change and connect as, by what the documents say of its kind. */
interface Scope {
  reads: readonly Zone[]
  writes: readonly Zone[]
  connects: readonly string[]
  /** The AppInstance whose ARNs its well-meant calls name. */
  home: House
}

export interface TriedKey extends Scope {
  name: string
  credentials: Credentials
}

interface Parts {
  made: TestKeys
  server: TestServer
  a: House
  b: House
}

/** In the order in which they are tried: later keys may change what earlier ones may not. */
export async function createTriedKeys(made: TestKeys, server: TestServer, [a, b]: [House, House]): Promise<TriedKey[]> {
  const parts = { made, server, a, b }
  return [...(await readers(parts)), ...(await deciders(parts)), ...(await powerless(parts)), ...(await writers(parts))]
}

const nothing = (home: House): Scope => ({ reads: [], writes: [], connects: [], home })
const channelZones = ({ name }: House) => ['ann', 'ann held', 'bob', 'bob held'].map((zone) => `${name}:${zone}`)
const allZones = (house: House) => [
  ...channelZones(house),
  ...['people', 'flows', 'instance', 'tags', 'keys'].map((zone) => `${house.name}:${zone}`),
]

async function readers({ made, a, b }: Parts): Promise<TriedKey[]> {
  const everywhere = { ...nothing(a), reads: [...allZones(a), ...allZones(b)] }
  const operator = (role: 'viewer' | 'reviewer', subjectArn?: string) =>
    made.kept({ kind: 'operator', role, subjectArn })
  return [
    { name: 'viewer', credentials: await operator('viewer'), ...everywhere },
    { name: 'viewer of A', credentials: await operator('viewer', a.arn), ...nothing(a), reads: allZones(a) },
  ]
}

/** Keys for ChannelFlowCallback alone. */
async function deciders({ made, a, b }: Parts): Promise<TriedKey[]> {
  const callback = (subjectArn: string) => made.kept({ kind: 'callback', subjectArn })
  const [annHeld, bobHeld] = [['A:ann held', 'B:ann held'] as const, ['A:bob held', 'B:bob held'] as const]
  const [none, first, second] = [nothing(a), await made.ofFunction('first'), await made.ofFunction('second')]
  return [
    { name: 'callback of A', credentials: await callback(a.arn), ...none, writes: [annHeld[0], bobHeld[0]] },
    { name: 'callback of a flow', credentials: await callback(a.flows[0]!), ...none, writes: [annHeld[0]] },
    { name: 'callback of B', credentials: await callback(b.arn), ...nothing(b), writes: [annHeld[1], bobHeld[1]] },
    { name: 'function first', credentials: first, ...none, writes: annHeld },
    { name: 'function second', credentials: second, ...none, writes: bobHeld },
    { name: 'function that no flow names', credentials: await made.ofFunction('idle'), ...none },
  ]
}

/** Keys that have ended or are suspended, and parts of different keys. */
async function powerless({ made, server, a }: Parts): Promise<TriedKey[]> {
  const [root, over] = [server.credentials, server.clock.now() - 60_000]
  const operator = { kind: 'operator' } as const
  const user: GrantParameters = { kind: 'user', subjectArn: a.ann }
  const [own, temporary, ofFunction] = [
    await made.kept(user),
    await made.temporary(user),
    await made.ofFunction('acting'),
  ]
  const suspended = [await made.kept(operator), await made.kept(user)] as const
  for (const key of suspended) await made.suspend(key)
  const deleted = await made.kept(operator)
  const orphan = await made.temporary(operator, { parentId: deleted.accessKeyId })
  await made.delete(deleted)
  const { sessionToken: token } = temporary
  const keys: Record<string, Credentials> = {
    'suspended operator': suspended[0],
    'suspended user': suspended[1],
    'deleted operator': deleted,
    'child of a deleted operator': orphan,
    'ended operator': await made.kept(operator, over),
    'ended temporary user': await made.temporary(user, { expiresAtMs: over }),
    'id of root, secret of a user': { ...root, secretAccessKey: own.secretAccessKey },
    'id of a user, secret of root': { ...own, secretAccessKey: root.secretAccessKey },
    'id of root, token of a temporary key': { ...root, sessionToken: token },
    'id of a user, token of a temporary key': { ...own, sessionToken: token },
    'id of a temporary key, token of a function': { ...temporary, sessionToken: ofFunction.sessionToken },
    'id of a function, token of a temporary key': { ...ofFunction, sessionToken: token },
    'id of a temporary key, token of a callback': { ...temporary, sessionToken: a.callbackIds[0]! },
    'id of a temporary key, token of nothing': { ...temporary, sessionToken: randomUUID() },
    'id of a temporary key, no token': {
      accessKeyId: temporary.accessKeyId,
      secretAccessKey: temporary.secretAccessKey,
    },
    'unknown id, secret of root': { ...root, accessKeyId: 'AKIAUNKNOWNUNKNOWN22' },
  }
  return Object.entries(keys).map(([name, credentials]) => ({ name, credentials, ...nothing(a) }))
}

async function writers({ made, a, b }: Parts): Promise<TriedKey[]> {
  const [ann, annOfB] = [ofAnn(a), ofAnn(b)]
  const user: GrantParameters = { kind: 'user', subjectArn: a.ann }
  const operator: GrantParameters = { kind: 'operator', subjectArn: a.arn }
  const channels = channelZones(a)
  // The flows of both AppInstances name the function, and both have an `ann`.
  const both = { reads: [...ann.reads, ...annOfB.reads], writes: [...ann.writes, ...annOfB.writes] }
  const directory = { ...ann, reads: [...ann.reads, 'A:people', 'A:flows'] }
  const admin = { ...nothing(a), reads: channels, writes: channels, connects: [a.admin] }
  const allOfA = {
    reads: allZones(a),
    writes: [...allZones(a), "A:bob's signature"],
    connects: [a.ann, a.bob, a.admin],
  }
  const everything = { reads: [...allZones(a), ...allZones(b)], writes: [...channels, ...channelZones(b)] }
  const reviewer = await made.kept({ kind: 'operator', role: 'reviewer' })
  return [
    { name: 'reviewer', credentials: reviewer, ...nothing(a), ...everything },
    { name: 'user', credentials: await made.kept(user), ...ann },
    { name: 'temporary user', credentials: await made.temporary(user), ...ann },
    { name: 'function that acts as Ann', credentials: await made.ofFunction('acting'), ...nothing(a), ...both },
    { name: 'user with directory', credentials: await made.kept({ ...user, directory: true }), ...directory },
    { name: 'user of B', credentials: await made.kept({ kind: 'user', subjectArn: b.ann }), ...annOfB },
    { name: 'admin of A', credentials: await made.kept({ kind: 'user', subjectArn: a.admin }), ...admin },
    { name: 'temporary operator of A', credentials: await made.temporary(operator), ...nothing(a), ...allOfA },
    { name: 'operator of A', credentials: await made.kept(operator), ...nothing(a), ...allOfA },
  ]
}

function ofAnn(home: House): Scope {
  const own = [`${home.name}:ann`, `${home.name}:ann held`]
  return { reads: own, writes: own, connects: [home.ann], home }
}
