import assert from 'node:assert/strict'
import { randomInt, randomUUID } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import {
  type ChannelMessageSummary,
  ChimeSDKMessaging,
  ChimeSDKMessagingServiceException,
} from '@aws-sdk/client-chime-sdk-messaging'
import { CrashingServer } from './crashing-server.ts'
import { choose, type Kind, kinds } from './kinds.ts'
import { Observer } from './observer.ts'
import { type Recipient, SdkRecipient, SocketRecipient } from './recipient.ts'
import { RemoteJudge } from './remote-judge.ts'

const sendersAtOnce = 6
const settleMsMax = 60_000
/** Nobody waits for ever for the answer of a server that may be dead. */
const requestTimeout = 10_000
/** How many of the latest messages a recipient asks for by their ids. */
const gotMax = 40
const points = ['dispatch:40', 'publish:30', 'record:2', 'random', 'dispatch:7', 'publish:9', 'random']

/** When the run has enough. */
interface Extent {
  killsMin: number
  acknowledgedMin: number
}

/** A send that got its 201, and all that is needed to say it again. */
interface Acknowledged {
  n: number
  sender: number
  kind: Kind
  token: string
  messageId: string
}

const seed = Number(process.env.CARILLON_TEST_SEED ?? randomInt(2 ** 31))
let state = seed
/** mulberry32: a run can be repeated by its seed, as far as processes can be. */
function random(): number {
  state = (state + 0x6d2b79f5) | 0
  let t = Math.imul(state ^ (state >>> 15), 1 | state)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296
}

/** A server that is killed again and again while clients send: what was acknowledged is true afterwards. */
export async function runKills(t: TestContext, extent: Extent): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-kill-'))
  const functions = join(folder, 'functions')
  const callbacks = join(folder, 'callbacks')
  await mkdir(join(functions, 'judge'), { recursive: true })
  await copyFile(join(import.meta.dirname, 'judge.mjs'), join(functions, 'judge', 'index.mjs'))
  await writeFile(callbacks, '')
  await writeFile(join(functions, 'judge', 'function.json'), JSON.stringify({ environment: { CALLBACKS: callbacks } }))
  const remote = await RemoteJudge.open(() => server)
  const places = ['--data-dir', join(folder, 'data'), '--functions', functions, '--lambda-endpoint', remote.endpoint]
  const server = await CrashingServer.open(places)
  const recipients: Recipient[] = []
  t.after(async () => {
    await server.end()
    remote.close()
    for (const recipient of recipients) recipient.leave()
    // Functions of the last server may still be writing.
    await rm(folder, { recursive: true, maxRetries: 10 })
  })
  await server.start()
  const stage = await setStage(server)
  const observer = new Observer()
  recipients.push(new SocketRecipient(server, stage.bob, observer), new SdkRecipient(server, stage.cleo, observer))
  await server.kill()

  const { acknowledged, kills } = await sendAndKill(server, stage, { recipients, observer, extent })
  await settle(stage, acknowledged, callbacks)
  for (const recipient of recipients) await recipient.listen()
  await checkHistories(stage, acknowledged, observer)

  assert.deepEqual(observer.violations, [], `seed ${seed}`)
  for (const way of ['event', 'prefetch', 'list', 'get'])
    assert.ok((observer.looks.get(way) ?? 0) > 2 * extent.killsMin, `looked at ${way}`)
  for (const { sessions } of recipients) assert.ok(sessions > extent.killsMin / 2, `${sessions} sessions, seed ${seed}`)
  assert.ok(remote.calls > 0, 'no event went to the Lambda endpoint')
  const outcomes = Object.groupBy(acknowledged, ({ kind }) => `${kind.name} ${kind.status}`)
  for (const { name, status } of kinds) assert.ok(outcomes[`${name} ${status}`], `no ${name} was sent, seed ${seed}`)
  t.diagnostic(`seed ${seed}; ${acknowledged.length} acknowledged; killed ${JSON.stringify(kills)}`)
  t.diagnostic(
    Object.entries(outcomes)
      .map(([kind, list]) => `${kind} ${list?.length}`)
      .join(', '),
  )
  t.diagnostic(`looked at ${JSON.stringify(Object.fromEntries(observer.looks))}`)
}

type Stage = Awaited<ReturnType<typeof setStage>>

/** An AppInstance with a sender, two recipients, and a channel with its flow for each kind. */
async function setStage({ endpoint, credentials }: CrashingServer) {
  // Names the same server after every restart.
  const options = { endpoint: endpoint.http, region: endpoint.region, credentials, requestHandler: { requestTimeout } }
  const messaging = new ChimeSDKMessaging(options)
  const identity = new ChimeSDKIdentity(options)
  const { AppInstanceArn } = await identity.createAppInstance({ Name: 'kill', ClientRequestToken: randomUUID() })
  const user = async (id: string) => {
    const asked = { AppInstanceArn, AppInstanceUserId: id, Name: id, ClientRequestToken: randomUUID() }
    return (await identity.createAppInstanceUser(asked)).AppInstanceUserArn as string
  }
  const [ann, bob, cleo] = [await user('ann'), await user('bob'), await user('cleo')]
  const channels = new Map<string, string>()
  for (const { name, flow } of kinds) {
    const members = { MemberArns: [bob, cleo], ClientRequestToken: randomUUID() }
    const channel = await messaging.createChannel({ AppInstanceArn, Name: name, ChimeBearer: ann, ...members })
    const ChannelArn = channel.ChannelArn as string
    channels.set(name, ChannelArn)
    if (!flow) continue
    const { ChannelFlowArn } = await messaging.createChannelFlow({
      AppInstanceArn,
      Name: name,
      ClientRequestToken: randomUUID(),
      Processors: flow.functions.map((functionName, index) => ({
        Name: `${functionName} ${index}`,
        Configuration: {
          Lambda: {
            ResourceArn: `arn:aws:lambda:us-east-1:111122223333:function:${functionName}`,
            InvocationType: 'ASYNC' as const,
          },
        },
        ExecutionOrder: index + 1,
        FallbackAction: flow.fallback,
      })),
      ...(flow.deadline !== undefined && { Tags: [{ Key: 'carillon:deadline', Value: flow.deadline }] }),
    })
    await messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer: ann })
  }
  return { messaging, ann, bob, cleo, channels }
}

/** Senders that go on through everything, and a server that dies again and again. At the end it is up. */
async function sendAndKill(
  server: CrashingServer,
  stage: Stage,
  { recipients, observer, extent }: { recipients: Recipient[]; observer: Observer; extent: Extent },
) {
  const { killsMin, acknowledgedMin } = extent
  const acknowledged: Acknowledged[] = []
  const kills: Record<string, number> = {}
  let numbers = 0
  const enough = () =>
    acknowledged.length >= acknowledgedMin && Object.values(kills).reduce((a, b) => a + b, 0) >= killsMin

  const sendForever = async (sender: number) => {
    while (!enough()) {
      const n = numbers++
      // Each kind once, then by their shares.
      const kind = kinds[n] ?? choose(random())
      const one = { n, sender, kind, token: randomUUID() }
      for (let messageId: string | undefined; messageId === undefined; ) {
        await server.up
        messageId = await say(stage, one).catch((error) => {
          // The connection broke or there was none: the server is dead or about to be. It says 503 while it starts.
          if (error.$response && error.$metadata?.httpStatusCode !== 503) throw error
          return undefined
        })
        if (messageId !== undefined) acknowledged.push({ ...one, messageId })
      }
    }
  }
  const killForever = async () => {
    for (let cycle = 0; !enough(); cycle++) {
      const point = points[cycle % points.length] as string
      await server.start(point === 'random' ? 'never' : point)
      await Promise.all(recipients.map((recipient) => recipient.listen()))
      const looked = look(stage, acknowledged.slice(-gotMax), observer).catch((error) => {
        if (error.$response && error.$metadata?.httpStatusCode !== 503) throw error
      })
      await Promise.race([looked, server.died])
      await reached(acknowledged, acknowledged.length + 60 + Math.floor(random() * 60), server.died)
      await server.kill()
      kills[point] = (kills[point] ?? 0) + 1
    }
    // Who is in the middle of a send comes to its end.
    await server.start()
  }
  await Promise.all([killForever(), ...Array.from({ length: sendersAtOnce }, (_, sender) => sendForever(sender))])
  return { acknowledged, kills }
}

/** Until so many are acknowledged, or the server has died by itself. */
async function reached(acknowledged: Acknowledged[], count: number, died: Promise<unknown>): Promise<void> {
  let dead = false
  void died.then(() => {
    dead = true
  })
  while (!dead && acknowledged.length < count) await setTimeout(5)
}

async function say(stage: Stage, { n, kind, token }: Omit<Acknowledged, 'messageId'>): Promise<string> {
  return (await send(stage, { n, kind, token })).MessageId as string
}

const send = ({ messaging, ann, channels }: Stage, { n, kind, token }: Pick<Acknowledged, 'n' | 'kind' | 'token'>) =>
  messaging.sendChannelMessage({
    ChannelArn: channels.get(kind.name),
    ChimeBearer: ann,
    Content: kind.sent(n),
    Type: 'STANDARD',
    Persistence: kind.persistence,
    ClientRequestToken: token,
  })

/** What a recipient finds when it looks by itself. */
async function look({ messaging, bob, channels }: Stage, latest: Acknowledged[], observer: Observer): Promise<void> {
  for (const ChannelArn of channels.values()) {
    const { ChannelMessages = [] } = await messaging.listChannelMessages({ ChannelArn, ChimeBearer: bob })
    for (const { Content } of ChannelMessages) observer.see('list', Content)
  }
  for (const { kind, messageId: MessageId } of latest) {
    const asked = { ChannelArn: channels.get(kind.name), MessageId, ChimeBearer: bob }
    const got = await messaging.getChannelMessage(asked).catch((error) => {
      // What is not released, or left no row, is not there for a recipient.
      if (error instanceof ChimeSDKMessagingServiceException && error.name === 'NotFoundException') return undefined
      throw error
    })
    if (got) observer.see('get', got.ChannelMessage?.Content)
  }
}

/** Every send is said again with its token until it has ended, and has ended as it must; callbacks by hand still work. */
async function settle(stage: Stage, acknowledged: Acknowledged[], callbacks: string): Promise<void> {
  const answered = new Map<string, string>()
  let open = acknowledged
  for (const from = Date.now(); open.length > 0; ) {
    assert.ok(
      Date.now() - from < settleMsMax,
      `${open.length} messages do not end, seed ${seed}: ${JSON.stringify(open[0])}`,
    )
    await callBackByHand(stage, callbacks, answered)
    const still: Acknowledged[] = []
    for (const one of open) {
      const { MessageId, Status } = await send(stage, one)
      assert.equal(MessageId, one.messageId, `${one.n} was made twice, seed ${seed}`)
      if (Status?.Value === 'PENDING') still.push(one)
      else assert.equal(Status?.Value, one.kind.status, `${one.kind.sent(one.n)}, seed ${seed}`)
    }
    open = still
    if (open.length > 0) await setTimeout(50)
  }
}

/** Of every event that was handed over, however long ago: its CallbackId is the same each time, and works. */
async function callBackByHand({ messaging }: Stage, callbacks: string, answered: Map<string, string>): Promise<void> {
  for (const line of (await readFile(callbacks, 'utf8')).split('\n').filter(Boolean)) {
    const { ChannelArn, MessageId, CallbackId, text } = JSON.parse(line)
    const before = answered.get(MessageId)
    assert.ok(before === undefined || before === CallbackId, 'an event came again with another CallbackId')
    if (before !== undefined) continue
    answered.set(MessageId, CallbackId)
    const ChannelMessage = { MessageId, Content: `${text.replace('RAW', 'OK')} byhand` }
    await messaging.channelFlowCallback({ ChannelArn, CallbackId, ChannelMessage })
  }
}

async function checkHistories(stage: Stage, acknowledged: Acknowledged[], observer: Observer): Promise<void> {
  for (const kind of kinds) {
    const sent = acknowledged.filter((one) => one.kind === kind && kind.persistence === 'PERSISTENT')
    const ofBob = await history(stage, kind, stage.bob)
    for (const { Content } of ofBob) observer.see('list', Content)
    const visible = kind.status === 'SENT' ? sent : []
    assertOnce(ofBob, visible, (one) => kind.released?.(one.n) ?? '')
    const ofAnn = await history(stage, kind, stage.ann)
    if (kind.status === 'FAILED') assertOnce(ofAnn, sent, (one) => kind.sent(one.n))
    else assert.deepEqual(ofAnn, ofBob)
    assertInOrder(ofBob, visible)
  }
}

async function history(
  { messaging, channels }: Stage,
  kind: Kind,
  ChimeBearer: string,
): Promise<ChannelMessageSummary[]> {
  const all: ChannelMessageSummary[] = []
  let NextToken: string | undefined
  do {
    const page = await messaging.listChannelMessages({
      ChannelArn: channels.get(kind.name),
      ChimeBearer,
      SortOrder: 'ASCENDING',
      NextToken,
    })
    all.push(...(page.ChannelMessages ?? []))
    NextToken = page.NextToken
  } while (NextToken !== undefined)
  return all
}

function assertOnce(
  found: ChannelMessageSummary[],
  expected: Acknowledged[],
  text: (one: Acknowledged) => string,
): void {
  const texts = found.map(({ MessageId, Content }) => `${MessageId} ${Content}`).sort()
  assert.deepEqual(texts, expected.map((one) => `${one.messageId} ${text(one)}`).sort(), `seed ${seed}`)
}

/** Each sender sends one after the other, so its messages stand in the order of their numbers. */
function assertInOrder(found: ChannelMessageSummary[], sent: Acknowledged[]): void {
  const byId = new Map(sent.map((one) => [one.messageId, one]))
  const last = new Map<number, number>()
  for (const { MessageId } of found) {
    const { sender, n } = byId.get(MessageId ?? '') as Acknowledged
    assert.ok(n > (last.get(sender) ?? -1), `sender ${sender}'s ${n} stands too late, seed ${seed}`)
    last.set(sender, n)
  }
}
