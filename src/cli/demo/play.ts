import type { Clock } from '../../runtime/clock.ts'
import { type Outcome, problemsOf, type Scenario, type Seen } from './scenarios.ts'
import type { Stage } from './stage.ts'
import { within } from './within.ts'

/** The result of a scenario, or as much of it as there was before a failure. */
export interface Report {
  scenario: Scenario
  sender: Seen[]
  recipient: Seen[]
  /** From the call of SendChannelMessage until the sender knew the outcome; undefined if that never came. */
  tookMs: number | undefined
  problems: string[]
}

/** Sends the scenario's message through its own flow and watches both users. Never rejects. */
export async function play(scenario: Scenario, stage: Stage, clock: Clock): Promise<Report> {
  const report: Report = { scenario, sender: [], recipient: [], tookMs: undefined, problems: [] }
  try {
    const channelArn = await within(clock, 'the flow and its channel', createChannel(scenario, stage))
    report.problems = problemsOf(scenario, await watch(report, stage, clock, channelArn))
  } catch (error) {
    report.problems = [error instanceof Error ? error.message : String(error)]
  }
  return report
}

async function createChannel(scenario: Scenario, stage: Stage): Promise<string> {
  const { sdk, appInstanceArn, sender, recipient } = stage
  const { CreateChannelCommand, AssociateChannelFlowCommand } = sdk.messaging
  const channelFlowArn = await createFlow(scenario, stage)
  const { ChannelArn } = await sender.messaging.send(
    new CreateChannelCommand({
      AppInstanceArn: appInstanceArn,
      Name: scenario.title,
      MemberArns: [recipient.userArn],
      ChimeBearer: sender.userArn,
    }),
  )
  await sender.messaging.send(
    new AssociateChannelFlowCommand({ ChannelArn, ChannelFlowArn: channelFlowArn, ChimeBearer: sender.userArn }),
  )
  return ChannelArn as string
}

async function createFlow(scenario: Scenario, { sdk, clients, appInstanceArn, functionArn }: Stage): Promise<string> {
  const { title, processors, fallbackAction, deadline } = scenario
  const { ChannelFlowArn } = await clients.messaging.send(
    new sdk.messaging.CreateChannelFlowCommand({
      AppInstanceArn: appInstanceArn,
      Name: title,
      Processors: processors.map((name, index) => ({
        Name: name,
        Configuration: { Lambda: { ResourceArn: functionArn(name), InvocationType: 'ASYNC' } },
        ExecutionOrder: index + 1,
        FallbackAction: fallbackAction,
      })),
      ...(deadline && { Tags: [{ Key: 'carillon:deadline', Value: deadline }] }),
    }),
  )
  return ChannelFlowArn as string
}

/** The report keeps the messages so far, in case one of the waits times out. */
async function watch(report: Report, stage: Stage, clock: Clock, channelArn: string): Promise<Outcome> {
  const sender = stage.sender.channel(channelArn)
  const recipient = stage.recipient.channel(channelArn)
  report.sender = sender.seen
  report.recipient = recipient.seen
  const sentAt = clock.now()
  const standard = send(stage, channelArn, report.scenario.text, 'STANDARD')
  const { MessageId, Status } = await within(clock, 'SendChannelMessage', standard)
  await within(clock, "the message's outcome, for the sender", sender.outcome.promise)
  report.tookMs = clock.now() - sentAt
  await within(clock, 'SendChannelMessage', send(stage, channelArn, 'that was all', 'CONTROL'))
  await within(clock, 'a CONTROL message, for both', Promise.all([sender.end.promise, recipient.end.promise]))
  const checks = Promise.all([statusOf(stage, channelArn, MessageId as string), historyOf(stage, channelArn)])
  const [status, history] = await within(clock, 'GetChannelMessageStatus and ListChannelMessages', checks)
  return { response: Status?.Value ?? 'no status', sender: sender.seen, recipient: recipient.seen, status, history }
}

function send({ sdk, sender }: Stage, ChannelArn: string, Content: string, Type: 'STANDARD' | 'CONTROL') {
  return sender.messaging.send(
    new sdk.messaging.SendChannelMessageCommand({
      ChannelArn,
      Content,
      Type,
      Persistence: Type === 'STANDARD' ? 'PERSISTENT' : 'NON_PERSISTENT',
      ChimeBearer: sender.userArn,
    }),
  )
}

async function statusOf({ sdk, sender }: Stage, ChannelArn: string, MessageId: string): Promise<string> {
  const input = { ChannelArn, MessageId, ChimeBearer: sender.userArn }
  try {
    const { Status } = await sender.messaging.send(new sdk.messaging.GetChannelMessageStatusCommand(input))
    return Status?.Value ?? 'no status'
  } catch (error) {
    return error instanceof Error ? error.name : String(error)
  }
}

async function historyOf({ sdk, recipient }: Stage, ChannelArn: string): Promise<string[]> {
  const input = { ChannelArn, ChimeBearer: recipient.userArn }
  const { ChannelMessages = [] } = await recipient.messaging.send(new sdk.messaging.ListChannelMessagesCommand(input))
  return ChannelMessages.map(({ Content }) => Content ?? '')
}
