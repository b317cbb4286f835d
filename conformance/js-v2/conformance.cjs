// The steps of ../steps.tsv with the AWS SDK for JavaScript v2: node conformance.cjs URL REGION ACCESS_KEY SECRET_KEY
const { randomUUID } = require('node:crypto')
const { readFileSync } = require('node:fs')
const { join } = require('node:path')
const { setTimeout } = require('node:timers/promises')
const AWS = require('aws-sdk')

const [endpoint, region, accessKeyId, secretAccessKey] = process.argv.slice(2)
const credentials = { accessKeyId, secretAccessKey }
const identity = new AWS.ChimeSDKIdentity({ endpoint, region, credentials })
const messaging = new AWS.ChimeSDKMessaging({ endpoint, region, credentials })

const pollsMax = 300
let AppInstanceArn, ChimeBearer, ChannelArn, CallbackId, callbacks, pages, message, unchanged, denied

const user = (AppInstanceUserId, Name) =>
  identity.createAppInstanceUser({ AppInstanceArn, AppInstanceUserId, Name }).promise()
const channel = async (Name) =>
  (await messaging.createChannel({ AppInstanceArn, Name, ChimeBearer }).promise()).ChannelArn
const describe = (client) => client.describeChannel({ ChannelArn, ChimeBearer }).promise()

const send = (ChannelArn, Content, options) =>
  messaging
    .sendChannelMessage({
      ChannelArn,
      ChimeBearer,
      Content,
      Type: 'STANDARD',
      Persistence: 'PERSISTENT',
      ...options,
    })
    .promise()
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
    const { ChannelMessages } = await messaging.listChannelMessages({ ChannelArn: callbacks, ChimeBearer }).promise()
    return ChannelMessages.find(({ Metadata }) => Metadata === MessageId)?.Content
  })

/** Lets the message pass, and reads what became of it. */
async function allow(CallbackId, ChannelMessage) {
  const { MessageId } = ChannelMessage
  const verdict = await messaging.channelFlowCallback({ ChannelArn, CallbackId, ChannelMessage }).promise()
  const { Content, Status } = await poll(async () => {
    const { ChannelMessage } = await messaging.getChannelMessage({ ChannelArn, ChimeBearer, MessageId }).promise()
    return ChannelMessage.Status.Value === 'PENDING' ? undefined : ChannelMessage
  })
  return { MessageId, CallbackId: verdict.CallbackId, Status: Status.Value, Content }
}

async function contentsOf(ChannelArn) {
  const list = { ChannelArn, ChimeBearer, SortOrder: 'ASCENDING' }
  const contents = []
  let NextToken
  do {
    const page = await messaging.listChannelMessages({ ...list, MaxResults: 2, NextToken }).promise()
    contents.push(...page.ChannelMessages.map(({ Content }) => Content))
    NextToken = page.NextToken
  } while (NextToken)
  return contents
}

async function errorOf(call) {
  try {
    await call
    return { error: 'none' }
  } catch (error) {
    return { error: error.code, status: error.statusCode }
  }
}

const steps = {
  async identity() {
    AppInstanceArn = (await identity.createAppInstance({ Name: 'conformance' }).promise()).AppInstanceArn
    ChimeBearer = (await user('ann', 'Ann')).AppInstanceUserArn
    const { AppInstanceUser } = await identity.describeAppInstanceUser({ AppInstanceUserArn: ChimeBearer }).promise()
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
    const { ChannelFlowArn } = await messaging.createChannelFlow({ AppInstanceArn, Name: 'ask', Processors }).promise()
    await messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer }).promise()
    const { ChannelFlow } = await messaging.describeChannelFlow({ ChannelFlowArn }).promise()
    return { ChannelFlowArn, Name: ChannelFlow.Name }
  },
  async send() {
    message = await ask()
    return { MessageId: message.MessageId, Status: message.Status.Value }
  },
  async poll() {
    const { MessageId } = message
    const { Status } = await messaging.getChannelMessageStatus({ ChannelArn, ChimeBearer, MessageId }).promise()
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
    const verdict = await messaging.channelFlowCallback(denied).promise()
    return { MessageId, CallbackId: verdict.CallbackId, Contents: await contentsOf(ChannelArn) }
  },
  'bad request': () => errorOf(messaging.channelFlowCallback(unchanged).promise()),
  forbidden: () => errorOf(messaging.channelFlowCallback(denied).promise()),
  conflict: () => errorOf(user('ann', 'Another Ann')),
  async 'not found'() {
    const { AppInstanceUserArn: MemberArn } = await user('bob', 'Bob')
    return errorOf(messaging.describeChannelMembership({ ChannelArn, MemberArn, ChimeBearer }).promise())
  },
  unauthorized: () =>
    errorOf(messaging.describeChannel({ ChannelArn, ChimeBearer: `${AppInstanceArn}/user/nobody` }).promise()),
  async 'limit exceeded'() {
    const Tags = Array.from({ length: 50 }, (_, index) => ({ Key: `tag ${index}`, Value: 'x' }))
    await messaging.tagResource({ ResourceARN: AppInstanceArn, Tags }).promise()
    return errorOf(
      messaging.tagResource({ ResourceARN: AppInstanceArn, Tags: [{ Key: 'one more', Value: 'x' }] }).promise(),
    )
  },
  'unknown key': () => {
    const unknown = { ...credentials, accessKeyId: 'AKIDUNKNOWN000000000' }
    return errorOf(describe(new AWS.ChimeSDKMessaging({ endpoint, region, credentials: unknown })))
  },
  'unknown operation': () =>
    errorOf(describe(new AWS.ChimeSDKMessaging({ endpoint: `${endpoint}/nowhere`, region, credentials }))),
  async paging() {
    pages = await channel('pages')
    for (const content of ['1', '2', '3', '4', '5']) await send(pages, content)
    return { ChannelArn: pages, Contents: await contentsOf(pages) }
  },
  async text() {
    const { MessageId } = await send(pages, '🔔 déjà \0 vu')
    const { ChannelMessage } = await messaging
      .getChannelMessage({ ChannelArn: pages, ChimeBearer, MessageId })
      .promise()
    return { MessageId, Content: ChannelMessage.Content }
  },
  async token() {
    const ClientRequestToken = randomUUID()
    const first = await send(pages, 'once', { ClientRequestToken })
    const second = await send(pages, 'once', { ClientRequestToken })
    return { MessageId: first.MessageId, same: first.MessageId === second.MessageId }
  },
  async presigned() {
    const request = messaging.describeChannel({ ChannelArn, ChimeBearer })
    const response = await fetch(request.presign(60), { headers: { 'x-amz-chime-bearer': ChimeBearer } })
    return { status: response.status, Name: (await response.json()).Channel?.Name }
  },
}

async function main() {
  console.log(JSON.stringify({ version: `aws-sdk ${AWS.VERSION}` }))
  for (const line of readFileSync(join(__dirname, '../steps.tsv'), 'utf8').trim().split('\n').slice(1)) {
    const [number, name] = line.split('\t')
    const result = steps[name] ? await steps[name]() : { lacks: 'not in this program' }
    console.log(JSON.stringify({ step: Number(number), ...result }))
  }
}

void main()
