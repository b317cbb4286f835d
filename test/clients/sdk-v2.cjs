const AWS = require('aws-sdk')

const [ChannelArn, ChimeBearer, endpoint] = process.argv.slice(2)
const identity = new AWS.ChimeSDKIdentity({ endpoint })
const messaging = new AWS.ChimeSDKMessaging({ endpoint })

async function talk() {
  const { AppInstanceUser } = await identity.describeAppInstanceUser({ AppInstanceUserArn: ChimeBearer }).promise()
  console.log(AppInstanceUser.Name)
  const message = { Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 'message' }
  await messaging.sendChannelMessage({ ChannelArn, ChimeBearer, ...message }).promise()
}

void talk()
