import { badRequest, conflict, forbidden } from '../../contract/api-error.ts'
import { appInstanceOf, parseArn } from '../../contract/arn.ts'
import type { ChannelMessageType } from '../../contract/shapes.ts'
import type { Reader, Transaction } from '../../store/store.ts'
import { scheduleWork } from '../../store/work.ts'
import type { Context } from '../context.ts'
import { type ExtensionTag, invalidTags } from '../tags/tag.ts'

/*
 * What an operator sets for all channels of an AppInstance, in tags of the AppInstance: keys of users cannot set tags.
 */

/** The flow of a channel that is created from now on; the channel's moderators may take it off. */
const defaultFlowTag = flowTag('carillon:default-flow', 'default_flow_arn')

/**
 * The flow of every channel, which only an operator takes off, by this tag. It holds every message from this transaction on;
 * background work writes it into the rows of the channels that exist.
 */
const requiredFlowTag = flowTag('carillon:required-flow', 'required_flow_arn', (transaction, appInstanceArn) =>
  scheduleWork(transaction, { kind: 'attach-flow', subject: appInstanceArn }, 0),
)

const controlMessagesTag = choiceTag('carillon:control-messages', 'control_messages', ['pass', 'refuse'])
const channelTextTag = choiceTag('carillon:channel-text', 'channel_text', ['pass', 'operators'])

/** How many days the log of a channel is kept, with the runs and steps of its messages, which are their timelines. */
export const traceDays = 30
const traceDaysMax = 365

/** Background work goes by it once a day. */
const traceDaysTag: ExtensionTag<number | null> = {
  read(text) {
    const days = /^[1-9]\d{0,2}$/.test(text) ? Number(text) : 0
    if (days >= 1 && days <= traceDaysMax) return days
    throw invalidTags('tags', `carillon:trace-days must be a number of days from 1 to ${traceDaysMax}`)
  },
  absent: null,
  apply: (transaction, appInstanceArn, days) =>
    transaction.run('UPDATE app_instance SET trace_days = $2 WHERE app_instance_arn = $1', appInstanceArn, days),
}

export const appInstanceTags = {
  'carillon:default-flow': defaultFlowTag,
  'carillon:required-flow': requiredFlowTag,
  'carillon:control-messages': controlMessagesTag,
  'carillon:channel-text': channelTextTag,
  'carillon:trace-days': traceDaysTag,
}

/** `whenSet`: follows in the same transaction, unless the tag is removed. */
function flowTag(
  key: string,
  column: string,
  whenSet?: (transaction: Transaction, appInstanceArn: string) => Promise<unknown>,
): ExtensionTag<string | null> {
  return {
    read: (text) => readFlowArn(key, text),
    absent: null,
    async apply(transaction, appInstanceArn, flowArn) {
      await requireOwnFlow(transaction, appInstanceArn, flowArn)
      const text = `UPDATE app_instance SET ${column} = $2 WHERE app_instance_arn = $1`
      await transaction.run(text, appInstanceArn, flowArn)
      if (flowArn !== null) await whenSet?.(transaction, appInstanceArn)
    },
  }
}

function choiceTag(key: string, column: string, choices: readonly [string, string]): ExtensionTag<string> {
  return {
    read(text) {
      if (choices.includes(text)) return text
      throw invalidTags('tags', `${key} must be ${choices.join(' or ')}`)
    },
    absent: choices[0],
    apply: (transaction, appInstanceArn, choice) =>
      transaction.run(
        `UPDATE app_instance SET ${column} = $2 WHERE app_instance_arn = $1`,
        appInstanceArn,
        choice === choices[0] ? null : choice,
      ),
  }
}

function readFlowArn(key: string, text: string): string {
  if (parseArn(text)?.kind === 'channel-flow') return text
  throw invalidTags('tags', `${key} must be the ARN of a channel flow`)
}

/** Throws a BadRequest unless the flow is one of the AppInstance. */
async function requireOwnFlow(transaction: Transaction, appInstanceArn: string, flowArn: string | null): Promise<void> {
  if (flowArn === null) return
  // A deletion of the flow that runs now waits, or is repeated and finds the tag.
  const text = 'UPDATE channel_flow SET updated_at = updated_at WHERE channel_flow_arn = $1'
  const found = appInstanceOf(flowArn) === appInstanceArn && (await transaction.run(text, flowArn)) === 1
  if (!found) throw badRequest('The AppInstance has no such channel flow')
}

/** The columns of app_instance that the tags set. */
export interface FlowPolicy {
  default_flow_arn: string | null
  required_flow_arn: string | null
  /** Null for `pass`. */
  control_messages: 'refuse' | null
  channel_text: 'operators' | null
}

export async function readFlowPolicy(read: Reader, appInstanceArn: string): Promise<FlowPolicy | undefined> {
  return read.get<FlowPolicy>(
    `SELECT default_flow_arn, required_flow_arn, control_messages, channel_text FROM app_instance
     WHERE app_instance_arn = $1`,
    appInstanceArn,
  )
}

/**
 * Throws a Forbidden for the text of a CONTROL message, which no flow holds, if it is refused to keys below an operator's.
 */
export function requireTypePasses(
  type: ChannelMessageType,
  { control_messages }: Pick<FlowPolicy, 'control_messages'>,
  { credentials }: Pick<Context, 'credentials'>,
): void {
  if (type === 'CONTROL' && control_messages === 'refuse' && credentials.grant.kind !== 'operator') throw forbidden()
}

/** Throws a Forbidden if only operators may write the texts of channels, and the key is not an operator's. */
export function requireChannelTextPasses(
  policy: Pick<FlowPolicy, 'channel_text'> | undefined,
  { credentials }: Pick<Context, 'credentials'>,
): void {
  if (policy?.channel_text === 'operators' && credentials.grant.kind !== 'operator') throw forbidden()
}

/** Throws a Conflict if an AppInstance requires the flow, or gives it to new channels. */
export async function requireNotInPolicy(transaction: Transaction, flowArn: string): Promise<void> {
  const policy = await readFlowPolicy(transaction, appInstanceOf(flowArn) ?? '')
  if (policy?.required_flow_arn === flowArn) throw conflict('The tag carillon:required-flow names the channel flow')
  if (policy?.default_flow_arn === flowArn) throw conflict('The tag carillon:default-flow names the channel flow')
}
