import { appInstanceUserArn } from '../../contract/arn.ts'
import type { Operation } from '../../contract/operation.ts'
import type { Processor } from '../../contract/structures/channel-flows.ts'
import { issueKeyFor } from '../../keys/issue-key.ts'
import { findUser } from '../app-instance-users/app-instance-user.ts'
import { CreateAppInstanceUser } from '../app-instance-users/CreateAppInstanceUser.ts'
import { CreateAppInstance } from '../app-instances/CreateAppInstance.ts'
import { AssociateChannelFlow } from '../channel-flows/AssociateChannelFlow.ts'
import { CreateChannelFlow } from '../channel-flows/CreateChannelFlow.ts'
import { CreateChannel } from '../channels/CreateChannel.ts'
import type { Context } from '../context.ts'
import { fromJsonText, toJsonText } from '../json-text.ts'

/* The parts of a rehearsal, made by AWS's operations. */

interface Person {
  userArn: string
  name: string
}

/** The name of the AppInstance, the flow and the channel. */
const stageName = 'Try it'
/** The setting that has the ARN of the AppInstance. */
const stageSetting = 'rehearsal_app_instance'
const peopleNames = ['Ada', 'Ben']
/** As long as a session of the console. */
const keyMs = 12 * 3_600_000

/** The AppInstance of all rehearsals. It is made again if it was deleted. */
export async function findStage(context: Context): Promise<string> {
  const known = await context.read.get<{ app_instance_arn: string }>(
    'SELECT app_instance_arn FROM app_instance WHERE app_instance_arn = (SELECT value FROM setting WHERE name = $1)',
    stageSetting,
  )
  if (known) return known.app_instance_arn
  const { AppInstanceArn: arn } = await call<{ AppInstanceArn: string }>(context, CreateAppInstance, {
    Name: stageName,
  })
  await context.store.transaction((transaction) =>
    transaction.run(
      'INSERT INTO setting (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
      stageSetting,
      arn,
    ),
  )
  return arn
}

export async function findPeople(context: Context, appInstanceArn: string): Promise<Person[]> {
  const people: Person[] = []
  for (const name of peopleNames) {
    const id = name.toLowerCase()
    const userArn = appInstanceUserArn(appInstanceArn, id)
    const known = await findUser(context.read, userArn)
    const input = { AppInstanceArn: appInstanceArn, AppInstanceUserId: id, Name: name }
    if (!known) await call(context, CreateAppInstanceUser, input)
    people.push({ userArn, name: known ? fromJsonText(known.name) : name })
  }
  return people
}

/** A flow of these functions in this order. */
export async function findFlow(
  context: Context,
  appInstanceArn: string,
  functionNames: string[],
  fallback: Processor['FallbackAction'],
): Promise<string> {
  const { region, account } = context.location
  const processors = functionNames.map((name, index) => ({
    Name: name,
    Configuration: {
      Lambda: { ResourceArn: `arn:aws:lambda:${region}:${account}:function:${name}`, InvocationType: 'ASYNC' },
    },
    ExecutionOrder: index + 1,
    FallbackAction: fallback,
  }))
  const known = await context.read.get<{ channel_flow_arn: string }>(
    `SELECT channel_flow_arn FROM channel_flow WHERE app_instance_arn = $1 AND name = $2 AND processors_json = $3
     ORDER BY channel_flow_arn LIMIT 1`,
    appInstanceArn,
    toJsonText(stageName),
    JSON.stringify(processors),
  )
  if (known) return known.channel_flow_arn
  const input = { AppInstanceArn: appInstanceArn, Name: stageName, Processors: processors }
  return (await call<{ ChannelFlowArn: string }>(context, CreateChannelFlow, input)).ChannelFlowArn
}

/** The first person moderates the channel. */
export async function createChannelOf(
  context: Context,
  appInstanceArn: string,
  people: Person[],
  channelFlowArn: string,
): Promise<string> {
  const [creator] = people
  const bearer = { ChimeBearer: creator!.userArn }
  const { ChannelArn } = await call<{ ChannelArn: string }>(context, CreateChannel, {
    ...bearer,
    AppInstanceArn: appInstanceArn,
    Name: stageName,
    MemberArns: people.map(({ userArn }) => userArn),
    ExpirationSettings: { ExpirationDays: 1, ExpirationCriterion: 'LAST_MESSAGE_TIMESTAMP' },
  })
  await call(context, AssociateChannelFlow, { ...bearer, ChannelArn, ChannelFlowArn: channelFlowArn })
  return ChannelArn
}

/** A temporary key of the person, which ends with the key of the caller. */
export async function keyFor(context: Context, { userArn, name }: Person, now: number) {
  const { read, keySecrets: secrets, credentials: parent } = context
  const grant = { kind: 'user', userArn, directory: false } as const
  const key = await issueKeyFor({ read, secrets }, { grant, name: stageName, durationMs: keyMs, parent }, now)
  return {
    AppInstanceUserArn: userArn,
    Name: name,
    AccessKeyId: key.accessKeyId,
    SecretAccessKey: key.secretAccessKey,
    SessionToken: key.sessionToken,
    Expiration: new Date(key.expiresAtMs).toISOString(),
  }
}

const call = <Output = object>(context: Context, operation: Operation<Context>, input: object): Promise<Output> =>
  operation.invoke({ ...input, ClientRequestToken: context.newId() }, { ...context, operation }) as Promise<Output>
