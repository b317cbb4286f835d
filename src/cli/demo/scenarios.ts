/** A message, the flow it meets, and what has to come of it. */
export interface Scenario {
  title: string
  text: string
  /** The functions of the flow, in the order of their turns. */
  processors: string[]
  fallbackAction: 'CONTINUE' | 'ABORT'
  /** The flow's tag `carillon:deadline`. */
  deadline?: string
  ending: Ending
}

/** What the sender is told last, what GetChannelMessageStatus then says, and what is delivered, if anything is. */
interface Ending {
  event: 'CREATE' | 'DENIED_CREATE' | 'FAILED_CREATE'
  status: string
  delivered?: string
}

const delivered = (text: string): Ending => ({ event: 'CREATE', status: 'SENT', delivered: text })
/** A denied message is not stored, and nobody has access to what is not there. */
const denied: Ending = { event: 'DENIED_CREATE', status: 'ForbiddenException' }
const failed: Ending = { event: 'FAILED_CREATE', status: 'FAILED' }

/** The demo's own function: it takes every message and never gives a verdict. */
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
    ending: delivered('Good morning, Bob'),
  },
  {
    title: 'redact-personal-data changes it',
    text: 'Call +1 212 555 0142',
    processors: ['redact-personal-data'],
    fallbackAction: 'ABORT',
    ending: delivered('Call [phone]'),
  },
  {
    title: 'deny-words denies it',
    text: 'What the heck, Bob?',
    processors: ['deny-words'],
    fallbackAction: 'ABORT',
    ending: denied,
  },
  {
    title: 'unreachable, fallback CONTINUE',
    text: 'Nobody can check this',
    processors: [missingFunction],
    fallbackAction: 'CONTINUE',
    ending: delivered('Nobody can check this'),
  },
  {
    title: 'unreachable, fallback ABORT',
    text: 'Nobody may see this',
    processors: [missingFunction],
    fallbackAction: 'ABORT',
    ending: failed,
  },
  {
    title: 'never answers, deadline of 2 s',
    text: 'Is anybody there?',
    processors: [silentFunction],
    fallbackAction: 'ABORT',
    deadline: '2s',
    ending: failed,
  },
  {
    title: 'first, second and third sign it',
    text: 'Hi',
    processors: signingFunctions,
    fallbackAction: 'ABORT',
    ending: delivered('Hi · first · second · third'),
  },
]

/** An event of a channel message, without `_CHANNEL_MESSAGE` at the end of its name. */
export interface Seen {
  event: string
  text: string
}

/** What became of a message, as clients see it. */
export interface Outcome {
  /** The Status that SendChannelMessage answered. */
  answer: string
  sender: Seen[]
  recipient: Seen[]
  /** What GetChannelMessageStatus says to the sender afterwards: a status, or the name of its error. */
  status: string
  /** The texts that ListChannelMessages shows to the recipient afterwards. */
  history: string[]
}

export function expectedOutcome({ text, ending }: Scenario): Outcome {
  const end = { event: ending.event, text: ending.delivered ?? text }
  return {
    answer: 'PENDING',
    sender: [{ event: 'PENDING_CREATE', text }, end],
    recipient: ending.delivered === undefined ? [] : [end],
    status: ending.status,
    history: ending.delivered === undefined ? [] : [ending.delivered],
  }
}

/** A sentence for everything that came otherwise than it has to. */
export function problemsOf(scenario: Scenario, outcome: Outcome): string[] {
  const expected = expectedOutcome(scenario)
  const compared = [
    ['SendChannelMessage answered', outcome.answer, expected.answer],
    ['the sender saw', describe(outcome.sender), describe(expected.sender)],
    ['the recipient saw', describe(outcome.recipient), describe(expected.recipient)],
    ['GetChannelMessageStatus says', outcome.status, expected.status],
    ['ListChannelMessages shows', quote(outcome.history), quote(expected.history)],
  ]
  return compared.flatMap(([what, actual, right]) => (actual === right ? [] : `${what} ${actual}, not ${right}`))
}

const describe = (seen: Seen[]) => seen.map(({ event, text }) => `${event} "${text}"`).join(', ') || 'nothing'
const quote = (texts: string[]) => texts.map((text) => `"${text}"`).join(', ') || 'nothing'
