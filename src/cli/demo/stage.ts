import type { RunningServer } from '../../server.ts'
import { Person } from './person.ts'
import { type Clients, createClients, type Sdk } from './sdk.ts'
import { createUserKey } from './user-key.ts'

/** Shared by the scenarios: an AppInstance, and two of its users with open messaging sessions. */
export interface Stage {
  sdk: Sdk
  /** They sign with the root key, which a person's client never has: only for what a back end does. */
  clients: Clients
  appInstanceArn: string
  sender: Person
  recipient: Person
  functionArn(name: string): string
}

type Server = Pick<RunningServer, 'endpoint' | 'credentials'>

export async function setStage(server: Server, sdk: Sdk): Promise<Stage> {
  const { region, account } = server.endpoint
  const clients = createClients(sdk, server.endpoint, server.credentials)
  const { AppInstanceArn } = await clients.identity.send(new sdk.identity.CreateAppInstanceCommand({ Name: 'demo' }))
  const appInstanceArn = AppInstanceArn as string
  const enter = async (name: string) => listen(sdk, server, await createUser(sdk, clients, appInstanceArn, name))
  const [sender, recipient] = await Promise.all([enter('Ann'), enter('Bob')])
  const functionArn = (name: string) => `arn:aws:lambda:${region}:${account}:function:${name}`
  return { sdk, clients, appInstanceArn, sender, recipient, functionArn }
}

async function createUser({ identity }: Sdk, clients: Clients, AppInstanceArn: string, Name: string): Promise<string> {
  const user = { AppInstanceArn, AppInstanceUserId: Name.toLowerCase(), Name }
  const { AppInstanceUserArn } = await clients.identity.send(new identity.CreateAppInstanceUserCommand(user))
  return AppInstanceUserArn as string
}

/** The person's client signs with a key of the user, as a browser or a phone would. */
async function listen(sdk: Sdk, server: Server, userArn: string): Promise<Person> {
  const { messaging } = createClients(sdk, server.endpoint, await createUserKey(server, userArn))
  const { MessagingSessionConfiguration, DefaultMessagingSession, NoOpLogger } = sdk.sessions
  const configuration = new MessagingSessionConfiguration(userArn, null, undefined, messaging)
  const person = new Person(userArn, messaging, new DefaultMessagingSession(configuration, new NoOpLogger()))
  await person.listen()
  return person
}

/** Ends the sessions, because sessions that are open when the server stops would try to reconnect. */
export async function clearStage({ clients, sender, recipient }: Stage): Promise<void> {
  await Promise.all([sender.leave(), recipient.leave()])
  for (const client of [clients.messaging, clients.identity, sender.messaging, recipient.messaging]) client.destroy()
}
