// The steps of ../steps.tsv with the AWS SDK for JavaScript v3: node conformance.mjs URL REGION ACCESS_KEY SECRET_KEY
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setTimeout } from 'node:timers/promises'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging, paginateListChannelMessages } from '@aws-sdk/client-chime-sdk-messaging'
import { SignatureV4 } from '@smithy/signature-v4'

const [endpoint, region, accessKeyId, secretAccessKey] = process.argv.slice(2)
const credentials = { accessKeyId, secretAccessKey }
const identity = new ChimeSDKIdentity({ endpoint, region, credentials })
const messaging = new ChimeSDKMessaging({ endpoint, region, credentials })

const pollsMax = 300
let AppInstanceArn, ChimeBearer, ChannelArn, CallbackId, callbacks, pages, message, unchanged, denied

const user = (AppInstanceUserId, Name) => identity.createAppInstanceUser({ AppInstanceArn, AppInstanceUserId, Name })
const channel = async (Name) => (await messaging.createChannel({ AppInstanceArn, Name, ChimeBearer })).ChannelArn
const describe = (client) => client.describeChannel({ ChannelArn, ChimeBearer })

const send = (ChannelArn, Content, options) =>
  messaging.sendChannelMessage({
    ChannelArn,
    ChimeBearer,
    Content,
    Type: 'STANDARD',
    Persistence: 'PERSISTENT',
    ...options,
  })
/** Sends a message into the flow. The processor puts the CallbackId where its Metadata says. */
const ask = () => send(ChannelArn, 'Call +1 212 555 0142', { Metadata: callbacks })

async function poll(look) {
  for (let polls = 0; polls < pollsMax; polls++) {
    const found = await look()
    if (found !== undefined) return found
    await setTimeout(100)
  }
  throw new Error(`nothing came in ${pollsMax} polls`)
}

const callbackIdOf = (MessageId) =>
  poll(async () => {
    const { ChannelMessages } = await messaging.listChannelMessages({ ChannelArn: callbacks, ChimeBearer })
    return ChannelMessages.find(({ Metadata }) => Metadata === MessageId)?.Content
  })

/** Lets the message pass, and reads what became of it. */
async function allow(CallbackId, ChannelMessage) {
  const { MessageId } = ChannelMessage
  const verdict = await messaging.channelFlowCallback({ ChannelArn, CallbackId, ChannelMessage })
  const { Content, Status } = await poll(async () => {
    const { ChannelMessage } = await messaging.getChannelMessage({ ChannelArn, ChimeBearer, MessageId })
    return ChannelMessage.Status.Value === 'PENDING' ? undefined : ChannelMessage
  })
  return { MessageId, CallbackId: verdict.CallbackId, Status: Status.Value, Content }
}

async function contentsOf(ChannelArn) {
  const list = { ChannelArn, ChimeBearer, SortOrder: 'ASCENDING' }
  const contents = []
  for await (const { ChannelMessages } of paginateListChannelMessages({ client: messaging, pageSize: 2 }, list)) {
    contents.push(...ChannelMessages.map(({ Content }) => Content))
  }
  return contents
}

async function errorOf(call) {
  try {
    await call
    return { error: 'none' }
  } catch (error) {
    return { error: error.name, status: error.$metadata?.httpStatusCode }
  }
}

const steps = {
  async identity() {
    AppInstanceArn = (await identity.createAppInstance({ Name: 'conformance' })).AppInstanceArn
    ChimeBearer = (await user('ann', 'Ann')).AppInstanceUserArn
    const { AppInstanceUser } = await identity.describeAppInstanceUser({ AppInstanceUserArn: ChimeBearer })
    return { AppInstanceArn, AppInstanceUserArn: ChimeBearer, Name: AppInstanceUser.Name }
  },
  async channel() {
    ChannelArn = await channel('talk')
    callbacks = await channel('callbacks')
    return { ChannelArn, Name: (await describe(messaging)).Channel.Name }
  },
  async flow() {
    const account = AppInstanceArn.split(':')[4]
    const ResourceArn = `arn:aws:lambda:${region}:${account}:function:conformance`
    const Configuration = { Lambda: { ResourceArn, InvocationType: 'ASYNC' } }
    const Processors = [{ Name: 'ask', Configuration, ExecutionOrder: 1, FallbackAction: 'ABORT' }]
    const { ChannelFlowArn } = await messaging.createChannelFlow({ AppInstanceArn, Name: 'ask', Processors })
    await messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer })
    const { ChannelFlow } = await messaging.describeChannelFlow({ ChannelFlowArn })
    return { ChannelFlowArn, Name: ChannelFlow.Name }
  },
  async send() {
    message = await ask()
    return { MessageId: message.MessageId, Status: message.Status.Value }
  },
  async poll() {
    const { MessageId } = message
    const { Status } = await messaging.getChannelMessageStatus({ ChannelArn, ChimeBearer, MessageId })
    CallbackId = await callbackIdOf(MessageId)
    return { CallbackId, Status: Status.Value }
  },
  async 'callback unchanged'() {
    unchanged = { ChannelArn, CallbackId, ChannelMessage: { MessageId: message.MessageId } }
    return allow(CallbackId, unchanged.ChannelMessage)
  },
  async 'callback changed'() {
    const { MessageId } = await ask()
    return allow(await callbackIdOf(MessageId), { MessageId, Content: 'Call [phone]' })
  },
  async 'callback denied'() {
    const { MessageId } = await ask()
    const CallbackId = await callbackIdOf(MessageId)
    denied = { ChannelArn, CallbackId, ChannelMessage: { MessageId }, DeleteResource: true }
    const verdict = await messaging.channelFlowCallback(denied)
    return { MessageId, CallbackId: verdict.CallbackId, Contents: await contentsOf(ChannelArn) }
  },
  'bad request': () => errorOf(messaging.channelFlowCallback(unchanged)),
  forbidden: () => errorOf(messaging.channelFlowCallback(denied)),
  conflict: () => errorOf(user('ann', 'Another Ann')),
  async 'not found'() {
    const { AppInstanceUserArn: MemberArn } = await user('bob', 'Bob')
    return errorOf(messaging.describeChannelMembership({ ChannelArn, MemberArn, ChimeBearer }))
  },
  unauthorized: () => errorOf(messaging.describeChannel({ ChannelArn, ChimeBearer: `${AppInstanceArn}/user/nobody` })),
  async 'limit exceeded'() {
    const Tags = Array.from({ length: 50 }, (_, index) => ({ Key: `tag ${index}`, Value: 'x' }))
    await messaging.tagResource({ ResourceARN: AppInstanceArn, Tags })
    return errorOf(messaging.tagResource({ ResourceARN: AppInstanceArn, Tags: [{ Key: 'one more', Value: 'x' }] }))
  },
  'unknown key': () => {
    const unknown = { ...credentials, accessKeyId: 'AKIDUNKNOWN000000000' }
    return errorOf(describe(new ChimeSDKMessaging({ endpoint, region, credentials: unknown })))
  },
  'unknown operation': () =>
    errorOf(describe(new ChimeSDKMessaging({ endpoint: `${endpoint}/nowhere`, region, credentials }))),
  async paging() {
    pages = await channel('pages')
    for (const content of ['1', '2', '3', '4', '5']) await send(pages, content)
    return { ChannelArn: pages, Contents: await contentsOf(pages) }
  },
  async text() {
    const { MessageId } = await send(pages, '🔔 déjà \0 vu')
    const { ChannelMessage } = await messaging.getChannelMessage({ ChannelArn: pages, ChimeBearer, MessageId })
    return { MessageId, Content: ChannelMessage.Content }
  },
  async token() {
    const ClientRequestToken = randomUUID()
    const first = await send(pages, 'once', { ClientRequestToken })
    const second = await send(pages, 'once', { ClientRequestToken })
    return { MessageId: first.MessageId, same: first.MessageId === second.MessageId }
  },
  async presigned() {
    const { protocol, host, hostname, port } = new URL(endpoint)
    const signer = new SignatureV4({ service: 'chime', region, credentials, sha256: messaging.config.sha256 })
    const headers = { host, 'x-amz-chime-bearer': ChimeBearer }
    const path = `/channels/${encodeURIComponent(ChannelArn)}`
    // The signer moves the bearer into the query.
    const { query } = await signer.presign({ method: 'GET', protocol, hostname, port, path, headers, query: {} })
    const response = await fetch(`${endpoint}${path}?${new URLSearchParams(query)}`)
    return { status: response.status, Name: (await response.json()).Channel?.Name }
  },
}

const { version } = createRequire(import.meta.url)('@aws-sdk/client-chime-sdk-messaging/package.json')
console.log(JSON.stringify({ version: `@aws-sdk/client-chime-sdk-messaging ${version}` }))
for (const line of readFileSync(new URL('../steps.tsv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1)) {
  const [number, name] = line.split('\t')
  const result = steps[name] ? await steps[name]() : { lacks: 'not in this program' }
  console.log(JSON.stringify({ step: Number(number), ...result }))
}
