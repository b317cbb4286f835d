import type { RunningServer } from '../../server.ts'
import { Person } from './person.ts'
import { type Clients, createClients, type Sdk } from './sdk.ts'

/** Shared by the scenarios: an AppInstance, and two of its users with open messaging sessions. */
export interface Stage {
  sdk: Sdk
  clients: Clients
  appInstanceArn: string
  sender: Person
  recipient: Person
  functionArn(name: string): string
}

export async function setStage(server: Pick<RunningServer, 'endpoint' | 'credentials'>, sdk: Sdk): Promise<Stage> {
  const { region, account } = server.endpoint
  const clients = createClients(sdk, server.endpoint, server.credentials)
  const { AppInstanceArn } = await clients.identity.send(new sdk.identity.CreateAppInstanceCommand({ Name: 'demo' }))
  const appInstanceArn = AppInstanceArn as string
  const enter = async (name: string) => listen(sdk, clients, await createUser(sdk, clients, appInstanceArn, name))
  const [sender, recipient] = await Promise.all([enter('Ann'), enter('Bob')])
  const functionArn = (name: string) => `arn:aws:lambda:${region}:${account}:function:${name}`
  return { sdk, clients, appInstanceArn, sender, recipient, functionArn }
}

async function createUser({ identity }: Sdk, clients: Clients, AppInstanceArn: string, Name: string): Promise<string> {
  const user = { AppInstanceArn, AppInstanceUserId: Name.toLowerCase(), Name }
  const { AppInstanceUserArn } = await clients.identity.send(new identity.CreateAppInstanceUserCommand(user))
  return AppInstanceUserArn as string
}

async function listen({ sessions }: Sdk, clients: Clients, userArn: string): Promise<Person> {
  const configuration = new sessions.MessagingSessionConfiguration(userArn, null, undefined, clients.messaging)
  const session = new sessions.DefaultMessagingSession(configuration, new sessions.NoOpLogger())
  const person = new Person(userArn, session)
  await person.listen()
  return person
}

/** Ends the sessions, because sessions that are open when the server stops would try to reconnect. */
export async function clearStage({ clients, sender, recipient }: Stage): Promise<void> {
  await Promise.all([sender.leave(), recipient.leave()])
  clients.messaging.destroy()
  clients.identity.destroy()
}
