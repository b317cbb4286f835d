const AWS = require('aws-sdk')

const [ChannelArn, ChimeBearer, endpoint] = process.argv.slice(2)
const chime = new AWS.Chime({ endpoint, hostPrefixEnabled: false })

async function talk() {
  const { AppInstanceUser } = await chime.describeAppInstanceUser({ AppInstanceUserArn: ChimeBearer }).promise()
  console.log(AppInstanceUser.Name)
  const message = { Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 'message' }
  await chime.sendChannelMessage({ ChannelArn, ChimeBearer, ...message }).promise()
}

void talk()
