import assert from 'node:assert/strict'
import { randomInt, randomUUID } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { type ChannelMessageSummary, ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { CrashingServer } from './crashing-server.ts'
import { choose, type Kind, kinds } from './kinds.ts'
import { Observer } from './observer.ts'
import { Recipient } from './recipient.ts'

const killsMin = 21
const acknowledgedMin = 2_000
const sendersAtOnce = 6
const settleMsMax = 60_000
const points = ['dispatch:40', 'publish:30', 'record:2', 'random', 'dispatch:7', 'publish:9', 'random']

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

test('the observer notices a text that was not released', () => {
  const observer = new Observer()
  observer.see('event', 'OK-1 change')
  observer.see('list', undefined)
  assert.deepEqual(observer.violations, [])
  observer.see('event', 'RAW-1 change')
  assert.deepEqual(observer.violations, ['event: RAW-1 change'])
})

test('what was acknowledged is true after any crash', { timeout: 400_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-kill-'))
  const functions = join(folder, 'functions')
  const callbacks = join(folder, 'callbacks')
  await mkdir(join(functions, 'judge'), { recursive: true })
  await copyFile(join(import.meta.dirname, 'judge.mjs'), join(functions, 'judge', 'index.mjs'))
  await writeFile(callbacks, '')
  await writeFile(join(functions, 'judge', 'function.json'), JSON.stringify({ environment: { CALLBACKS: callbacks } }))
  const server = await CrashingServer.open(join(folder, 'data'), functions)
  t.after(async () => {
    server.kill()
    await server.died()
    await rm(folder, { recursive: true })
  })
  await server.start()
  const stage = await setStage(server)
  const observer = new Observer()
  const recipients = [stage.bob, stage.cleo].map((userArn) => new Recipient(server, userArn, observer))
  server.kill()
  await server.died()

  const { acknowledged, kills } = await sendAndKill(server, stage, recipients, observer)
  await server.start()
  await settle(stage, acknowledged, callbacks)
  for (const recipient of recipients) await recipient.listen()
  await checkHistories(stage, acknowledged, observer)
  for (const recipient of recipients) recipient.leave()

  assert.deepEqual(observer.violations, [], `seed ${seed}`)
  for (const way of ['event', 'prefetch', 'list']) assert.ok((observer.looks.get(way) ?? 0) > 50, `looked at ${way}`)
  assert.ok(recipients.every(({ sessions }) => sessions > killsMin / 2))
  const outcomes = Object.groupBy(acknowledged, ({ kind }) => `${kind.name} ${kind.status}`)
  for (const { name, status } of kinds) assert.ok(outcomes[`${name} ${status}`], `no ${name} was sent, seed ${seed}`)
  t.diagnostic(`seed ${seed}; ${acknowledged.length} acknowledged; killed ${JSON.stringify(kills)}`)
  t.diagnostic(
    Object.entries(outcomes)
      .map(([kind, list]) => `${kind} ${list?.length}`)
      .join(', '),
  )
  t.diagnostic(`looked at ${JSON.stringify(Object.fromEntries(observer.looks))}`)
})

type Stage = Awaited<ReturnType<typeof setStage>>

/** An AppInstance with a sender, two recipients, and a channel with its flow for each kind. */
async function setStage({ endpoint, credentials }: CrashingServer) {
  // Names the same server after every restart.
  const options = { endpoint: endpoint.http, region: endpoint.region, credentials }
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

/** Senders that go on through everything, and a server that dies again and again. */
async function sendAndKill(server: CrashingServer, stage: Stage, recipients: Recipient[], observer: Observer) {
  const acknowledged: Acknowledged[] = []
  const kills: Record<string, number> = {}
  let up = Promise.withResolvers<void>()
  let died: Promise<void> = Promise.resolve()
  let numbers = 0
  const enough = () =>
    acknowledged.length >= acknowledgedMin && Object.values(kills).reduce((a, b) => a + b, 0) >= killsMin

  const sendForever = async (sender: number) => {
    while (!enough()) {
      const kind = choose(random())
      const one = { n: numbers++, sender, kind, token: randomUUID() }
      for (let messageId: string | undefined; messageId === undefined; ) {
        await up.promise
        messageId = await say(stage, one).catch(async (error) => {
          // The connection broke or there was none: the server is dead or about to be. It says 503 while it starts.
          if (error.$response && error.$metadata?.httpStatusCode !== 503) throw error
          await died
          return undefined
        })
        if (messageId !== undefined) acknowledged.push({ ...one, messageId })
      }
    }
  }
  const kill = async () => {
    for (let cycle = 0; !enough(); cycle++) {
      const point = points[cycle % points.length] as string
      await server.start(point === 'random' ? 'never' : point)
      died = server.died()
      up.resolve()
      await Promise.all(recipients.map((recipient) => recipient.listen()))
      await Promise.race([look(stage, observer).catch(() => {}), died])
      await reached(acknowledged, acknowledged.length + 60 + Math.floor(random() * 60), died)
      up = Promise.withResolvers()
      server.kill()
      await died
      kills[point] = (kills[point] ?? 0) + 1
    }
    up.resolve()
  }
  await Promise.all([kill(), ...Array.from({ length: sendersAtOnce }, (_, sender) => sendForever(sender))])
  return { acknowledged, kills }
}

/** Until so many are acknowledged, or the server has died by itself. */
async function reached(acknowledged: Acknowledged[], count: number, died: Promise<void>): Promise<void> {
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
async function look({ messaging, bob, channels }: Stage, observer: Observer): Promise<void> {
  for (const ChannelArn of channels.values()) {
    const { ChannelMessages = [] } = await messaging.listChannelMessages({ ChannelArn, ChimeBearer: bob })
    for (const { Content } of ChannelMessages) observer.see('list', Content)
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
