/** A message, its flow, and the expected outcome. */
export interface Scenario {
  title: string
  text: string
  /** The functions of the flow, in their execution order. */
  processors: string[]
  fallbackAction: 'CONTINUE' | 'ABORT'
  /** The flow's tag `carillon:deadline`. */
  deadline?: string
  expected: Expected
}

/**
 * The sender's last event, the status that GetChannelMessageStatus then returns, and the delivered text, if there is
 * one.
 */
interface Expected {
  event: 'CREATE' | 'DENIED_CREATE' | 'FAILED_CREATE'
  status: string
  delivered?: string
}

const delivered = (text: string): Expected => ({ event: 'CREATE', status: 'SENT', delivered: text })
/** A denied message is not stored, and the status of an unknown message is Forbidden. */
const denied: Expected = { event: 'DENIED_CREATE', status: 'ForbiddenException' }
const failed: Expected = { event: 'FAILED_CREATE', status: 'FAILED' }

/** The demo's own function: it receives every message and never gives a verdict. */
export const silentFunction = 'never-answers'
/** Each is the sample `sign` under another name. */
export const signingFunctions = ['first', 'second', 'third']
const missingFunction = 'no-such-function'

export const scenarios: Scenario[] = [
  {
    title: 'deny-words lets it pass',
    text: 'Good morning, Bob',
    processors: ['deny-words'],
    fallbackAction: 'ABORT',
    expected: delivered('Good morning, Bob'),
  },
  {
    title: 'redact-personal-data changes it',
    text: 'Call +1 212 555 0142',
    processors: ['redact-personal-data'],
    fallbackAction: 'ABORT',
    expected: delivered('Call [phone]'),
  },
  {
    title: 'deny-words denies it',
    text: 'What the heck, Bob?',
    processors: ['deny-words'],
    fallbackAction: 'ABORT',
    expected: denied,
  },
  {
    title: 'unreachable, fallback CONTINUE',
    text: 'Nobody can check this',
    processors: [missingFunction],
    fallbackAction: 'CONTINUE',
    expected: delivered('Nobody can check this'),
  },
  {
    title: 'unreachable, fallback ABORT',
    text: 'Nobody may see this',
    processors: [missingFunction],
    fallbackAction: 'ABORT',
    expected: failed,
  },
  {
    title: 'never answers, deadline of 2 s',
    text: 'Is anybody there?',
    processors: [silentFunction],
    fallbackAction: 'ABORT',
    deadline: '2s',
    expected: failed,
  },
  {
    title: 'first, second and third sign it',
    text: 'Hi',
    processors: signingFunctions,
    fallbackAction: 'ABORT',
    expected: delivered('Hi · first · second · third'),
  },
]

/** An event of a channel message, without `_CHANNEL_MESSAGE` at the end of its name. */
export interface Seen {
  event: string
  text: string
}

/** The outcome of a message, as clients see it. */
export interface Outcome {
  /** The Status that SendChannelMessage returned. */
  response: string
  sender: Seen[]
  recipient: Seen[]
  /** The status that GetChannelMessageStatus returns to the sender afterwards, or the name of its error. */
  status: string
  /** The texts that ListChannelMessages shows to the recipient afterwards. */
  history: string[]
}

export function expectedOutcome({ text, expected: { event, status, delivered } }: Scenario): Outcome {
  const end = { event, text: delivered ?? text }
  return {
    response: 'PENDING',
    sender: [{ event: 'PENDING_CREATE', text }, end],
    recipient: delivered === undefined ? [] : [end],
    status,
    history: delivered === undefined ? [] : [delivered],
  }
}

/** A sentence for each difference from the expected outcome. */
export function problemsOf(scenario: Scenario, outcome: Outcome): string[] {
  const expected = expectedOutcome(scenario)
  const compared = [
    ['SendChannelMessage returned', outcome.response, expected.response],
    ['the sender saw', describe(outcome.sender), describe(expected.sender)],
    ['the recipient saw', describe(outcome.recipient), describe(expected.recipient)],
    ['GetChannelMessageStatus returns', outcome.status, expected.status],
    ['ListChannelMessages shows', quote(outcome.history), quote(expected.history)],
  ]
  return compared.flatMap(([what, actual, right]) => (actual === right ? [] : `${what} ${actual}, not ${right}`))
}

const describe = (seen: Seen[]) => seen.map(({ event, text }) => `${event} "${text}"`).join(', ') || 'nothing'
const quote = (texts: string[]) => texts.map((text) => `"${text}"`).join(', ') || 'nothing'
