import { readFileSync } from 'node:fs'
import { ConfigError } from '../config.ts'
import { actOnAll } from './act-on-all.ts'
import { readDuration } from './duration.ts'
import { takeFlags } from './own-flags.ts'
import { type RunningServer, serverOf } from './running-server.ts'

const usage = `npx carillon pending [--processor FUNCTION] [--channel ARN] [--older 5m]
    lists the messages that flows hold, the oldest first
npx carillon failed [--channel ARN]
    lists the messages that failed, the latest first
npx carillon complete MESSAGE_ID [--content FILE]    approves a held message, perhaps with another text
npx carillon deny MESSAGE_ID --reason CODE[:TEXT]    denies it; its sender reads the reason
npx carillon fail MESSAGE_ID                         ends it without a verdict
npx carillon extend DURATION MESSAGE_ID              gives its processor more time: 30m, 2h, 1d
npx carillon again MESSAGE_ID                        hands it to its processor again
    each also with --all-of FUNCTION in place of the MESSAGE_ID, and --channel ARN: only that channel, or the
    channel of an id that another server made

They call the server that runs in --data-dir.`

interface PendingMessage {
  MessageId: string
  ChannelArn: string
  FunctionName: string
  SenderArn: string
  AcceptedTimestamp: number
  WaitsFor: string
  DeadlineTimestamp: number
}

interface FailedMessage {
  MessageId: string
  ChannelArn: string
  FunctionName?: string
  Detail?: string
  EndedTimestamp: number
}

interface Page<Message> {
  Messages: Message[]
  NextToken?: string
}

/** A list shows at most so many messages, and an act of --all-of concerns at most so many at a time. */
const listedMax = 10_000

/** `carillon pending`. */
export async function pending(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { flags, others } = takeFlags(args, { '--processor': 'value', '--channel': 'value', '--older': 'value' })
  const server = serverOf(others, environment)
  const query = {
    'function-name': flags['--processor'],
    'channel-arn': flags['--channel'],
    'older-than': flags['--older'] && String(secondsOf(flags['--older'], '--older must be')),
  }
  const messages = await listAll<PendingMessage>(server, '/carillon/v1/pending', query)
  messages.sort((a, b) => a.AcceptedTimestamp - b.AcceptedTimestamp)
  const lines = messages.map(
    ({ MessageId, FunctionName, WaitsFor, SenderArn, ChannelArn, ...times }) =>
      `${timeText(times.AcceptedTimestamp)}  ${MessageId}  ${FunctionName}  waits for ${WaitsFor.toLowerCase()} until ` +
      `${timeText(times.DeadlineTimestamp)}\n    from ${SenderArn}\n    in   ${ChannelArn}`,
  )
  console.log(lines.length === 0 ? 'No flow holds a message.' : lines.join('\n'))
  return 0
}

/** `carillon failed`. */
export async function failed(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { flags, others } = takeFlags(args, { '--channel': 'value' })
  const query = { 'channel-arn': flags['--channel'] }
  const messages = await listAll<FailedMessage>(serverOf(others, environment), '/carillon/v1/failed', query)
  const lines = messages.map(
    ({ MessageId, FunctionName, Detail, ChannelArn, EndedTimestamp }) =>
      `${timeText(EndedTimestamp)}  ${MessageId}  ${FunctionName ?? ''}  ${Detail ?? ''}\n    in   ${ChannelArn}`,
  )
  console.log(lines.length === 0 ? 'No message has failed.' : lines.join('\n'))
  return 0
}

const doneText = {
  complete: 'approved',
  deny: 'denied',
  fail: 'ended',
  again: 'handed to its processor again',
  extend: 'deadline extended',
}
type Act = keyof typeof doneText
/** Of `again`. */
const notNeededText = 'waiting for a place at its processor, or handed over just now'

/** `carillon complete`, `deny`, `fail`, `extend` and `again`. */
export async function actOnHeld(act: Act, args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { flags, others } = takeFlags(args, {
    '--all-of': 'value',
    '--channel': 'value',
    '--content': 'value',
    '--reason': 'value',
  })
  const duration = act === 'extend' ? others.shift() : undefined
  const messageId = others[0]?.startsWith('-') ? undefined : others.shift()
  const functionName = flags['--all-of']
  if ((messageId === undefined) === (functionName === undefined)) throw new ConfigError([usage])
  const channelArn = flags['--channel']
  const input = {
    ...inputOf(act, { content: flags['--content'], reason: flags['--reason'], duration }),
    ChannelArn: channelArn,
  }
  const server = serverOf(others, environment)
  if (messageId !== undefined) {
    const isNeeded = await actOn(server, act, messageId, input)
    console.log(`${messageId}: ${isNeeded ? doneText[act] : notNeededText}`)
    return 0
  }
  return actOnAllOf(act, { functionName: functionName!, channelArn }, input, server)
}

async function actOnAllOf(
  act: Act,
  { functionName, channelArn }: { functionName: string; channelArn: string | undefined },
  input: object,
  server: RunningServer,
): Promise<number> {
  const query = { 'function-name': functionName, 'channel-arn': channelArn }
  const listed = await listAll<PendingMessage>(server, '/carillon/v1/pending', query)
  // A message whose processor is invoked meanwhile may be listed twice.
  const messages = [...new Map(listed.map((message) => [message.MessageId, message])).values()]
  // It may be at the next processor of its flow by then.
  const one = ({ MessageId, ChannelArn, FunctionName }: PendingMessage) =>
    actOn(server, act, MessageId, { ...input, ChannelArn, FunctionName })
  const counts = await actOnAll(messages, one, showProgress(messages.length))
  const parts = [`${counts.done} ${doneText[act]}`]
  if (counts['not needed'] > 0) parts.push(`${counts['not needed']} ${notNeededText}`)
  if (counts.decided > 0) parts.push(`${counts.decided} decided already`)
  console.log(`${messages.length} messages held by ${functionName}: ${parts.join(', ')}`)
  if (listed.length >= listedMax) console.log('There may be more: run the command once more.')
  return 0
}

/** Resolves to whether the message needed it. */
async function actOn(server: RunningServer, act: Act, messageId: string, input: object): Promise<boolean> {
  const target = `/carillon/v1/messages/${encodeURIComponent(messageId)}?operation=${act}`
  const { Result } = await server.call<{ Result?: string }>('POST', target, input)
  return Result !== 'NOT_NEEDED'
}

/** On a terminal. */
function showProgress(total: number): (count: number) => void {
  const { stderr } = process
  if (!stderr.isTTY) return () => {}
  return (count) => stderr.write(count === total ? '\r\x1b[K' : `\r${count} of ${total}`)
}

function inputOf(act: Act, { content: contentFile, reason, duration }: Record<string, string | undefined>): object {
  if ((contentFile !== undefined && act !== 'complete') || (reason !== undefined && act !== 'deny')) {
    throw new ConfigError([usage])
  }
  if (act === 'extend') return { Seconds: secondsOf(duration ?? '', 'carillon extend needs a duration:') }
  if (act === 'complete') return contentFile === undefined ? {} : { Content: readFileSync(contentFile, 'utf8') }
  if (act !== 'deny') return {}
  const [, code, text = ''] = /^([^:]+)(?::\s*(.*))?$/s.exec(reason ?? '') ?? []
  if (code === undefined) throw new ConfigError(['carillon deny needs --reason CODE or --reason "CODE: text"'])
  return { ReasonCode: code, ReasonText: text }
}

const listAll = <Message>(server: RunningServer, path: string, query: Record<string, string | undefined>) =>
  server.list(path, query, ({ Messages }: Page<Message>) => Messages, listedMax)

function secondsOf(text: string, subject: string): number {
  const ms = readDuration(text, ['s', 'm', 'h', 'd'])
  if (ms === undefined) throw new ConfigError([`${subject} a number with s, m, h or d, such as 5m`])
  return ms / 1000
}

const timeText = (epochSeconds: number) => new Date(epochSeconds * 1000).toISOString()
