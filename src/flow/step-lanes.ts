import { OrderedSet } from '../runtime/ordered-set.ts'

/* What the queue (step-queue.ts) knows of functions and channels. */

/** A step as its row shows it. */
export interface FoundStep {
  readonly functionName: string
  /** A function may have several ARNs: its versions and aliases share its places. */
  readonly functionArn: string
  readonly channelArn: string
  readonly channelId: number
  /** When its row is due. It stays so while this node owns the step. */
  readonly dueAt: number
}

export interface QueuedStep extends FoundStep {
  /** Grows from step to step: the order within a channel. */
  readonly order: number
}

/** The steps of one function. */
export interface Line<Step> {
  functionName: string
  channels: Map<string, Lane<Step>>
  /** The lanes with waiting steps, by how many they have in flight, those that have waited longest first. */
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
  /** Steps whose place is free, and whose outcome is being written. */
  ending: number
  /** Where it is among the levels of its line, and since when; undefined while nothing waits. */
  level: number | undefined
  since: number
  /** The function ARNs of steps that are rows only, each with the times when the first and the last of them are due. */
  parked: Map<string, DueRange>
  /** How many these are; too many while some of them have ended. */
  parkedSteps: number
  /** Its rows are being read. */
  claimed: boolean
}

/** Taken from the rows, not from the clock: the clock may have been set back since they were made. */
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
