import { readFileSync } from 'node:fs'
import { ConfigError } from '../config.ts'
import { readDuration } from './duration.ts'
import { takeFlags } from './own-flags.ts'
import { CallRejected, type RunningServer, serverOf } from './running-server.ts'

const usage = `npx carillon pending [--processor FUNCTION] [--channel ARN] [--older 5m]
    lists the messages that flows hold, the oldest first
npx carillon failed [--channel ARN]
    lists the messages that failed, the latest first
npx carillon complete MESSAGE_ID [--content FILE]    approves a held message, perhaps with another text
npx carillon deny MESSAGE_ID --reason CODE[:TEXT]    denies it; its sender reads the reason
npx carillon fail MESSAGE_ID                         ends it without a verdict
npx carillon extend DURATION MESSAGE_ID              gives its processor more time: 30m, 2h, 1d
npx carillon again MESSAGE_ID                        hands it to its processor again
    each also with --all-of FUNCTION in place of the MESSAGE_ID, and --channel ARN for the id of another server

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
  const input = {
    ...inputOf(act, { content: flags['--content'], reason: flags['--reason'], duration }),
    ChannelArn: flags['--channel'],
  }
  const server = serverOf(others, environment)
  if (messageId !== undefined) {
    await server.call('POST', targetOf(act, messageId), input)
    console.log(`${messageId}: ${doneText[act]}`)
    return 0
  }
  return actOnAll(act, functionName!, input, server)
}

/** Messages that are decided meanwhile, or are at their processor, are left. */
async function actOnAll(act: Act, functionName: string, input: object, server: RunningServer): Promise<number> {
  const query = { 'function-name': functionName }
  const messages = await listAll<PendingMessage>(server, '/carillon/v1/pending', query)
  let done = 0
  for (const { MessageId, ChannelArn } of messages) {
    try {
      await server.call('POST', targetOf(act, MessageId), { ...input, ChannelArn })
      done += 1
    } catch (error) {
      if (!(error instanceof CallRejected) || (error.status !== 409 && error.status !== 404)) throw error
    }
  }
  console.log(`${done} of ${messages.length} messages held by ${functionName}: ${doneText[act]}`)
  return 0
}

const targetOf = (act: Act, messageId: string) =>
  `/carillon/v1/messages/${encodeURIComponent(messageId)}?operation=${act}`

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

async function listAll<Message>(
  server: RunningServer,
  path: string,
  query: Record<string, string | undefined>,
): Promise<Message[]> {
  const messages: Message[] = []
  let token: string | undefined
  do {
    const search = new URLSearchParams({ 'max-results': '50' })
    for (const [name, value] of Object.entries({ ...query, 'next-token': token })) if (value) search.set(name, value)
    const page: Page<Message> = await server.call('GET', `${path}?${search}`)
    messages.push(...page.Messages)
    token = page.NextToken
  } while (token !== undefined && messages.length < listedMax)
  return messages
}

function secondsOf(text: string, subject: string): number {
  const ms = readDuration(text, ['s', 'm', 'h', 'd'])
  if (ms === undefined) throw new ConfigError([`${subject} a number with s, m, h or d, such as 5m`])
  return ms / 1000
}

const timeText = (epochSeconds: number) => new Date(epochSeconds * 1000).toISOString()
