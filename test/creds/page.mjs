/*
 * The script of a chat page, in a browser: it signs in by /creds, opens a messaging session, and calls the API. The test
 * drives it by `globalThis.chat`.
 */
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { ConsoleLogger, DefaultMessagingSession, LogLevel, MessagingSessionConfiguration } from 'amazon-chime-sdk-js'

const region = 'us-east-1'
const clients = {}
const sessions = []
const received = []
let changed = Promise.withResolvers()

async function signIn(endpoint, token) {
  const response = await fetch(`${endpoint}/creds`, {
    method: 'POST',
    credentials: 'include',
    headers: { Authorization: `Bearer ${token}` },
  })
  if (!response.ok) return { status: response.status, text: await response.text() }
  const { ChimeAppInstanceUserArn: userArn, ChimeCredentials: key } = await response.json()
  const credentials = {
    accessKeyId: key.AccessKeyId,
    secretAccessKey: key.SecretAccessKey,
    sessionToken: key.SessionToken,
    expiration: new Date(key.Expiration),
  }
  clients.messaging = new ChimeSDKMessaging({ endpoint, region, credentials, maxAttempts: 1 })
  clients.identity = new ChimeSDKIdentity({ endpoint, region, credentials, maxAttempts: 1 })
  return { status: response.status, userArn }
}

/** Opens a session as this user. Returns `open`, or the code that it was closed with. */
async function connect(userArn) {
  const configuration = new MessagingSessionConfiguration(userArn, null, undefined, clients.messaging)
  configuration.reconnectTimeoutMs = 0
  const session = new DefaultMessagingSession(configuration, new ConsoleLogger('session', LogLevel.OFF))
  const outcome = Promise.withResolvers()
  session.addObserver({
    messagingSessionDidStart: () => outcome.resolve('open'),
    messagingSessionDidStop: (event) => outcome.resolve(event.code),
    messagingSessionDidReceiveMessage: ({ type, payload }) => {
      received.push({ type, ...JSON.parse(payload) })
      changed.resolve()
      changed = Promise.withResolvers()
    },
  })
  sessions.push(session)
  return session.start().then(
    () => outcome.promise,
    (event) => event.code,
  )
}

/** Calls an operation. Returns its output, or the name and the status of the error. */
async function call(service, operation, input) {
  try {
    const { $metadata, ...output } = await clients[service][operation](input)
    return { status: $metadata.httpStatusCode, output }
  } catch (error) {
    return { status: error.$metadata?.httpStatusCode, error: error.name }
  }
}

async function messageWith(content) {
  for (;;) {
    const found = received.find(({ type, Content }) => type === 'CREATE_CHANNEL_MESSAGE' && Content === content)
    if (found) return { sender: found.Sender.Name, content }
    await changed.promise
  }
}

globalThis.chat = { signIn, connect, call, messageWith }
