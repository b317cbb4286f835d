// A moderated channel in JavaScript: node quickstart.mjs
import { setTimeout } from 'node:timers/promises'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'

// Endpoint, region and key come from the environment: docs/clients.md.
const identity = new ChimeSDKIdentity()
const messaging = new ChimeSDKMessaging()

// An AppInstance is one application with its users and channels.
const { AppInstanceArn } = await identity.createAppInstance({ Name: 'quickstart' })
const user = { AppInstanceArn, AppInstanceUserId: 'ann', Name: 'Ann' }
const { AppInstanceUserArn: ChimeBearer } = await identity.createAppInstanceUser(user)
const { ChannelArn } = await messaging.createChannel({ AppInstanceArn, Name: 'talk', ChimeBearer })

// The flow holds each message until its processor, a Lambda function, has decided.
const ResourceArn = 'arn:aws:lambda:us-east-1:000000000000:function:redact-personal-data'
const Configuration = { Lambda: { ResourceArn, InvocationType: 'ASYNC' } }
const Processors = [{ Name: 'redact', Configuration, ExecutionOrder: 1, FallbackAction: 'ABORT' }]
const { ChannelFlowArn } = await messaging.createChannelFlow({ AppInstanceArn, Name: 'redact', Processors })
await messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer })

// The sender's response comes at once: the message is PENDING.
const message = { Content: 'Call +1 212 555 0142', Type: 'STANDARD', Persistence: 'PERSISTENT' }
let { MessageId, Status } = await messaging.sendChannelMessage({ ChannelArn, ChimeBearer, ...message })
while (Status.Value === 'PENDING') {
  await setTimeout(100)
  ;({ Status } = await messaging.getChannelMessageStatus({ ChannelArn, ChimeBearer, MessageId }))
}

const { ChannelMessages } = await messaging.listChannelMessages({ ChannelArn, ChimeBearer })
for (const { Status, Content } of ChannelMessages) console.log(Status.Value, Content)
