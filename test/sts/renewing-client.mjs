import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'

/*
 * Calls the server with the SDK's default credentials, from many places at once, until they have been renewed twice. It
 * prints the number of keys that signed a call.
 */
const [, , AppInstanceArn, ChimeBearer] = process.argv
const atOnce = 8
const keysWanted = 3

const client = new ChimeSDKMessaging({ maxAttempts: 1 })
const keys = new Set()
client.middlewareStack.add(
  (next) => async (args) => {
    keys.add(/Credential=(\w+)/.exec(args.request.headers.authorization)[1])
    return next(args)
  },
  { step: 'finalizeRequest', priority: 'low' },
)

async function call() {
  while (keys.size < keysWanted) await client.listChannels({ AppInstanceArn, ChimeBearer })
}

await Promise.all(Array.from({ length: atOnce }, call))
console.log(keys.size)
