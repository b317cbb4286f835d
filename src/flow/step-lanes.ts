import { OrderedSet } from '../runtime/ordered-set.ts'

/* The state of the queue (step-queue.ts) for functions and channels. */

/** The members of a step's row that the queue needs. */
export interface FoundStep {
  readonly functionName: string
  /** A function may have several ARNs: its versions and aliases share its places. */
  readonly functionArn: string
  readonly channelArn: string
  readonly channelId: number
  /** The row's due_at. It does not change while this node owns the step. */
  readonly dueAt: number
}

export interface QueuedStep extends FoundStep {
  /** Increases from step to step: the order within a channel. */
  readonly order: number
}

/** The steps of one function. */
export interface Line<Step> {
  functionName: string
  channels: Map<string, Lane<Step>>
  /** The lanes with waiting steps, by their number of steps in flight; each set has the longest-waiting lane first. */
  levels: OrderedSet<Lane<Step>>[]
  /** The first of them. */
  next: Lane<Step> | undefined
  waiting: number
  inFlight: number
  parkedSteps: number
  /** The lanes with parked steps and nothing in memory, and those with little. */
  starved: OrderedSet<Lane<Step>>
  low: OrderedSet<Lane<Step>>
}

/** The steps of one channel at one function. */
export interface Lane<Step> {
  line: Line<Step>
  channelArn: string
  channelId: number
  waiting: Step[]
  inFlight: number
  /** Steps whose place is released, and whose outcome is not written yet. */
  ending: number
  /** Its level in its line, undefined while no step waits, and the tick at which it was last put at the end of a level. */
  level: number | undefined
  since: number
  /** The function ARNs of parked steps, each with the times when the first and the last of its steps are due. */
  parked: Map<string, DueRange>
  /** The number of parked steps. It is too high if some of them have ended. */
  parkedSteps: number
  /** Whether its rows are being read. */
  claimed: boolean
}

/** Times of the rows, not of the clock: the clock may have been set back since the rows were created. */
export interface DueRange {
  readonly dueFrom: number
  readonly dueUntil: number
}

export const newLine = <Step>(functionName: string): Line<Step> => ({
  functionName,
  channels: new Map(),
  levels: [],
  next: undefined,
  waiting: 0,
  inFlight: 0,
  parkedSteps: 0,
  starved: new OrderedSet(),
  low: new OrderedSet(),
})

export const newLane = <Step>(line: Line<Step>, channelArn: string, channelId: number): Lane<Step> => ({
  line,
  channelArn,
  channelId,
  waiting: [],
  inFlight: 0,
  ending: 0,
  level: undefined,
  since: 0,
  parked: new Map(),
  parkedSteps: 0,
  claimed: false,
})

export function countParked<Step>(lane: Lane<Step>, steps: number): void {
  lane.parkedSteps += steps
  lane.line.parkedSteps += steps
}

export function park<Step>({ parked }: Lane<Step>, functionArn: string, { dueFrom, dueUntil }: DueRange): void {
  const known = parked.get(functionArn)
  parked.set(functionArn, {
    dueFrom: Math.min(known?.dueFrom ?? dueFrom, dueFrom),
    dueUntil: Math.max(known?.dueUntil ?? dueUntil, dueUntil),
  })
}

export function levelOf<Step>({ levels }: Line<Step>, level: number): OrderedSet<Lane<Step>> {
  while (levels.length <= level) levels.push(new OrderedSet())
  return levels[level] as OrderedSet<Lane<Step>>
}

export const isBefore = (one: Lane<unknown>, other: Lane<unknown>) =>
  one.inFlight < other.inFlight || (one.inFlight === other.inFlight && one.since < other.since)
