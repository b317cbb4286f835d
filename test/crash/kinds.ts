/** What a message of each kind says, which flow holds it, and how it must end. */
export interface Kind {
  name: string
  /** The flow of its channel: function names, FallbackAction, deadline. None for a channel without a flow. */
  flow?: { functions: string[]; fallback: 'CONTINUE' | 'ABORT'; deadline?: string }
  persistence: 'PERSISTENT' | 'NON_PERSISTENT'
  /** Before a processor has released it. */
  sent(n: number): string
  status: 'SENT' | 'DENIED' | 'FAILED'
  /** As its recipients may see it, if they may. */
  released?(n: number): string
}

const judge = (deadline?: string, times = 1) => ({
  functions: Array<string>(times).fill('judge'),
  fallback: 'ABORT' as const,
  ...(deadline !== undefined && { deadline }),
})
const raw = (name: string) => (n: number) => `RAW-${n} ${name}`
const persistence = 'PERSISTENT'

/** RAW marks a text that nobody but its sender may ever see. */
export const kinds: Kind[] = [
  { name: 'free', persistence, sent: (n) => `OPEN-${n} free`, status: 'SENT', released: (n) => `OPEN-${n} free` },
  {
    name: 'same',
    flow: judge(),
    persistence,
    sent: (n) => `OPEN-${n} same`,
    status: 'SENT',
    released: (n) => `OPEN-${n} same`,
  },
  {
    name: 'change',
    flow: judge(),
    persistence,
    sent: raw('change'),
    status: 'SENT',
    released: (n) => `OK-${n} change`,
  },
  { name: 'deny', flow: judge(), persistence, sent: raw('deny'), status: 'DENIED' },
  { name: 'slow', flow: judge(), persistence, sent: raw('slow'), status: 'SENT', released: (n) => `OK-${n} slow` },
  {
    name: 'three',
    flow: judge('1h', 3),
    persistence,
    sent: raw('three'),
    status: 'SENT',
    released: (n) => `OK-${n}++ three`,
  },
  { name: 'silent', flow: judge('2s'), persistence, sent: raw('silent'), status: 'FAILED' },
  { name: 'crash', flow: judge('2s'), persistence, sent: raw('crash'), status: 'FAILED' },
  {
    name: 'byhand',
    flow: judge('1h'),
    persistence,
    sent: raw('byhand'),
    status: 'SENT',
    released: (n) => `OK-${n} byhand`,
  },
  {
    name: 'remote',
    flow: { functions: ['remote'], fallback: 'ABORT' },
    persistence,
    sent: raw('remote'),
    status: 'SENT',
    released: (n) => `OK-${n} remote`,
  },
  {
    name: 'abort',
    flow: { functions: ['nobody'], fallback: 'ABORT' },
    persistence,
    sent: raw('abort'),
    status: 'FAILED',
  },
  {
    name: 'continue',
    flow: { functions: ['nobody'], fallback: 'CONTINUE' },
    persistence,
    sent: (n) => `OPEN-${n} continue`,
    status: 'SENT',
    released: (n) => `OPEN-${n} continue`,
  },
  {
    name: 'passing',
    flow: judge(),
    persistence: 'NON_PERSISTENT',
    sent: raw('passing'),
    status: 'SENT',
    released: (n) => `OK-${n} passing`,
  },
]

/** How often each kind comes: the ones that wait or start processes are few. */
const shares: Record<string, number> = {
  free: 30,
  same: 20,
  change: 20,
  deny: 8,
  continue: 6,
  abort: 4,
  passing: 5,
  three: 4,
  remote: 6,
}

/** One kind of them all, by a number from 0 up to 1. */
export function choose(random: number): Kind {
  const weights = kinds.map(({ name }) => shares[name] ?? 0.75)
  let rest = random * weights.reduce((sum, weight) => sum + weight, 0)
  const index = weights.findIndex((weight) => {
    rest -= weight
    return rest < 0
  })
  return kinds[index] ?? (kinds[0] as Kind)
}
