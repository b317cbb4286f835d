import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { ConsoleLogger, DefaultMessagingSession, LogLevel, MessagingSessionConfiguration } from 'amazon-chime-sdk-js'

const [ChannelArn, ChimeBearer] = process.argv.slice(2)
const identity = new ChimeSDKIdentity()
const messaging = new ChimeSDKMessaging()

const { AppInstanceUser } = await identity.describeAppInstanceUser({ AppInstanceUserArn: ChimeBearer })
console.log(AppInstanceUser.Name)
const configuration = new MessagingSessionConfiguration(ChimeBearer, 'clients', undefined, messaging)
const session = new DefaultMessagingSession(configuration, new ConsoleLogger('session', LogLevel.OFF))
const { promise: received, resolve } = Promise.withResolvers()
session.addObserver({
  messagingSessionDidReceiveMessage: ({ type, payload }) => {
    if (type === 'CREATE_CHANNEL_MESSAGE') resolve(JSON.parse(payload).Content)
  },
})
await session.start()
const message = { Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT' }
await messaging.sendChannelMessage({ ChannelArn, ChimeBearer, ...message })
await received
session.stop()
