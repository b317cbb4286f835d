import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'

const [ChannelArn, ChimeBearer] = process.argv.slice(2)
const identity = new ChimeSDKIdentity()
const messaging = new ChimeSDKMessaging()

const { AppInstanceUser } = await identity.describeAppInstanceUser({ AppInstanceUserArn: ChimeBearer })
console.log(AppInstanceUser.Name)
const message = { Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT' }
await messaging.sendChannelMessage({ ChannelArn, ChimeBearer, ...message })
