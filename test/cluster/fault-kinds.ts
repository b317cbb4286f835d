import { type Kind, kinds } from '../crash/kinds.ts'

/** How often a kind comes, and by which function its flow holds it where that is not `judge`. */
const plan: Record<string, { share: number; function?: string; deadline?: string }> = {
  free: { share: 30 },
  same: { share: 15 },
  change: { share: 15 },
  deny: { share: 8 },
  three: { share: 5 },
  passing: { share: 5 },
  continue: { share: 5 },
  abort: { share: 4 },
  // Often enough that most nodes have one in hand when they are killed.
  slow: { share: 4, function: 'slow' },
  // Reached by hand, through another node perhaps than the one that gave it its event.
  byhand: { share: 2, function: 'byhand' },
  // Never answers, which a person on call must be able to see.
  silent: { share: 1, function: 'silent', deadline: '15s' },
  // Each of these costs a process.
  crash: { share: 0.5, function: 'crash' },
}

/** The functions that are put into the folder; `nobody`, which two kinds name, is not among them. */
export const functionNames = ['judge', 'slow', 'byhand', 'silent', 'crash']

/** The kinds of the kill test, with a function for each way of being slow, so that one does not wait for another. */
export const faultKinds: Kind[] = kinds.flatMap((kind) => {
  const planned = plan[kind.name]
  if (!planned) return []
  const { flow } = kind
  if (!flow) return [kind]
  const functions = flow.functions.map((name) => (name === 'judge' ? (planned.function ?? name) : name))
  return [{ ...kind, flow: { ...flow, functions, ...(planned.deadline && { deadline: planned.deadline }) } }]
})

export const kindNamed = (wanted: string): Kind => faultKinds.find(({ name }) => name === wanted) as Kind

/** One kind of them all, by a number from 0 up to 1. */
export function chooseKind(random: number): Kind {
  const shares = faultKinds.map(({ name }) => plan[name]?.share ?? 0)
  let rest = random * shares.reduce((sum, share) => sum + share, 0)
  const index = shares.findIndex((share) => {
    rest -= share
    return rest < 0
  })
  return faultKinds[index] as Kind
}
