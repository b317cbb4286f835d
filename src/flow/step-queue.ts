import { OrderedSet } from '../runtime/ordered-set.ts'
import {
  countParked,
  type DueRange,
  type FoundStep,
  isBefore,
  type Lane,
  type Line,
  levelOf,
  newLane,
  newLine,
  park,
  type QueuedStep,
} from './step-lanes.ts'

/*
 * Which step gets the next free place at a processor.
 *
 * Steps wait by function and channel. Among all functions with a free place, the next step is that of the channel with
 * the fewest steps in flight at its function; among equals, of the channel that has waited longest since its last turn;
 * within a channel, the oldest. The choice goes over all functions, since they may share a limit.
 *
 * A channel with `reserveFrom` or more steps in flight at a function leaves that function's last free place to another
 * channel. So whatever the steps of one channel do there, another channel's step is taken at once, or, when others have
 * taken all places, no later than the next of them ends.
 *
 * Memory is limited: so many steps wait for a channel and function, and so many in all. A step beyond that is parked: it
 * stays a row, and its channel is remembered. A channel with parked steps takes no new ones, so that its order is kept,
 * until `claim` and `refill` have brought its rows. Functions are refilled in turn, their channels with nothing in memory
 * first. Channels are limited, too: beyond that a function's steps are forgotten, those of new channels included, until a
 * walk over this node's rows has found them again (own-steps.ts).
 *
 * Functions share the memory (`roomOf`), so that a function that is stuck leaves room for the others. The first stuck
 * function takes at most half of 10,000 steps, the second a sixth, the n-th 1/(n(n+1)): then nearly 200 functions can be
 * stuck before another one finds no room. If each took half of what is left, 14 stuck functions would use up all.
 */

export interface QueueLimits {
  /** Steps that wait in memory, in all. */
  stepsMax: number
  /** Steps of one channel that wait in memory for one function. */
  channelStepsMax: number
  /** Channels that are remembered to have rows and nothing in memory, shared by the functions in the same way. */
  starvedMax: number
}

export const queueLimits: QueueLimits = { stepsMax: 10_000, channelStepsMax: 64, starvedMax: 10_000 }

/** A walk is worth its reads when it can find so large a part of the channels that are remembered. */
const walkShare = 16

/** With so many steps in flight at a function, a channel leaves the last free place to others. */
const reserveFrom = 3

/** A channel whose rows are to be read: those of one function ARN, in order. */
export interface Claim<Step> extends DueRange {
  readonly lane: Lane<Step>
  readonly channelArn: string
  readonly channelId: number
  readonly functionArn: string
  /** How many steps there is room for. */
  readonly stepsMax: number
  /** How many rows of the channel are in memory already, and will be among what is read. */
  readonly inMemory: number
}

export class StepQueue<Step extends QueuedStep> {
  readonly #limits: QueueLimits
  readonly #lines = new Map<string, Line<Step>>()
  readonly #waitingLines = new Set<Line<Step>>()
  /** The names of functions some of whose rows are not remembered. */
  readonly #forgotten = new Set<string>()
  /** Until the walk after the start is over: rows may be there that go before all that comes. */
  #isFilling = false
  /** The lines with starved lanes, and those with low ones, each in the order in which they are refilled. */
  readonly #starvedLines = new OrderedSet<Line<Step>>()
  readonly #lowLines = new OrderedSet<Line<Step>>()
  #waiting = 0
  #starved = 0
  #turns = 0

  constructor(limits: QueueLimits = queueLimits) {
    this.#limits = limits
  }

  get counts(): { processor: string; waiting: number; inFlight: number }[] {
    return [...this.#lines.values()].map(({ functionName: processor, waiting, inFlight }) => ({
      processor,
      waiting,
      inFlight,
    }))
  }

  /** How many steps wait for a place at the function, in memory or parked, and how many channels have steps there. */
  backlogOf(functionName: string): { steps: number; channels: number } {
    const line = this.#lines.get(functionName)
    return line ? { steps: line.waiting + line.parkedSteps, channels: line.channels.size } : noBacklog
  }

  /** How many of them are the channel's. */
  backlogOfChannel(functionName: string, channelArn: string): number {
    const lane = this.#lines.get(functionName)?.channels.get(channelArn)
    return lane ? lane.waiting.length + lane.parkedSteps : 0
  }

  /** Whether steps of the function wait or are in flight. */
  has(functionName: string): boolean {
    return this.#lines.has(functionName)
  }

  /** False when the step is parked, or forgotten. */
  add(step: Step): boolean {
    const lane = this.#laneOf(step)
    // The room is for the starved lanes first: they came before.
    const isFull =
      lane.waiting.length >= this.#limits.channelStepsMax || this.#roomOf(lane.line) <= lane.line.starved.size
    const isBehindRows = lane.parked.size > 0 || lane.claimed || this.#hasUnknownRows(lane)
    const parks = isFull || isBehindRows || this.#isFilling
    if (parks) this.#park(lane, step, true)
    else this.#wait(lane, step)
    this.#settle(lane)
    return !parks
  }

  /** Parks a step that a walk found. `isNew`: it is not counted yet, even where the rows around it are. */
  find(step: FoundStep, isNew: boolean): void {
    const lane = this.#laneOf(step)
    const known = lane.parked.get(step.functionArn)
    const isCounted = !isNew && known && known.dueFrom <= step.dueAt && step.dueAt <= known.dueUntil
    this.#park(lane, step, !isCounted)
    this.#settle(lane)
  }

  /** A walk begins, which will find what is forgotten. After the start nothing is claimed until it is over. */
  beginWalk(isFirst: boolean): void {
    this.#forgotten.clear()
    this.#isFilling = isFirst
  }

  endWalk(): void {
    this.#isFilling = false
  }

  /** Whether some of what is forgotten could be remembered now. */
  get remembersForgotten(): boolean {
    const enough = this.#limits.starvedMax / walkShare
    if (this.#forgotten.size === 0) return false
    return [...this.#forgotten].some((functionName) => {
      const line = this.#lines.get(functionName)
      const room = this.#starvedRoomOf(line)
      return room >= enough || (room > 0 && (line?.starved.size ?? 0) === 0)
    })
  }

  /** The step that has the next free place, from now on in flight; undefined when there is no place for any. */
  take(freePlaces: (functionName: string) => number): Step | undefined {
    let next: Lane<Step> | undefined
    for (const line of this.#waitingLines) {
      const lane = line.next
      if (!lane || (next && !isBefore(lane, next))) continue
      const free = freePlaces(line.functionName)
      if (free > 1 || (free === 1 && lane.inFlight < reserveFrom)) next = lane
    }
    const step = next?.waiting.shift()
    if (!next || !step) return undefined
    this.#countWaiting(next.line, -1)
    this.#countInFlight(next, 1)
    return step
  }

  /** The step is in flight no more. Until `end` its row says that it is open. */
  release(step: Step): void {
    const lane = this.#laneOf(step)
    lane.ending += 1
    this.#countInFlight(lane, -1)
  }

  /** The step was released, and its row does not say any more that it is open. */
  end(step: Step): void {
    const lane = this.#laneOf(step)
    lane.ending -= 1
    this.#settle(lane)
  }

  /** The step is in flight no more and waits again, in its old place. */
  putBack(step: Step): void {
    const lane = this.#laneOf(step)
    this.#wait(lane, step)
    this.#countInFlight(lane, -1)
  }

  /** The step waits no more, if it did. */
  remove(step: Step): void {
    const lane = this.#lines.get(step.functionName)?.channels.get(step.channelArn)
    const index = lane ? lane.waiting.indexOf(step) : -1
    if (!lane || index < 0) return
    lane.waiting.splice(index, 1)
    this.#countWaiting(lane.line, -1)
    this.#settle(lane)
  }

  /** The channel that is to be refilled next, until `refill` is called for it; undefined when there is none or no room. */
  claim(): Claim<Step> | undefined {
    if (this.#isFilling) return undefined
    const hasRoom = (line: Line<Step>) => this.#roomOf(line) > 0
    const lane = this.#starvedLines.find(hasRoom)?.starved.first ?? this.#lowLines.find(hasRoom)?.low.first
    const [parked] = lane?.parked ?? []
    if (!lane || !parked) return undefined
    const [functionArn, range] = parked
    lane.parked.delete(functionArn)
    lane.claimed = true
    const { line, channelArn, channelId, waiting, inFlight, ending } = lane
    // Behind the others.
    this.#starvedLines.delete(line)
    this.#lowLines.delete(line)
    this.#settle(lane)
    return {
      lane,
      channelArn,
      channelId,
      functionArn,
      ...range,
      stepsMax: Math.min(this.#roomOf(line), this.#limits.channelStepsMax - waiting.length),
      inMemory: waiting.length + inFlight + ending,
    }
  }

  /** Ends the claim with the steps that were read, no more than it has room for, and says when other rows may be due. */
  refill({ lane, functionArn, dueUntil }: Claim<Step>, steps: readonly Step[], moreFrom: number | undefined): void {
    for (const step of steps) this.#wait(lane, step)
    if (moreFrom !== undefined) park(lane, functionArn, { dueFrom: moreFrom, dueUntil })
    // Steps that ended while they were parked are noticed when no more rows are left.
    countParked(lane, -(lane.parked.size > 0 ? Math.min(steps.length, lane.parkedSteps) : lane.parkedSteps))
    lane.claimed = false
    this.#settle(lane)
  }

  #laneOf({ functionName, channelArn, channelId }: FoundStep): Lane<Step> {
    let line = this.#lines.get(functionName)
    if (!line) {
      line = newLine(functionName)
      this.#lines.set(functionName, line)
    }
    let lane = line.channels.get(channelArn)
    if (!lane) {
      lane = newLane(line, channelArn, channelId)
      line.channels.set(channelArn, lane)
    }
    return lane
  }

  /** How many more steps of the function may wait in memory. */
  #roomOf(line: Line<Step>): number {
    const lines = this.#waitingLines.size + (line.waiting > 0 ? 0 : 1)
    return roomOf(line.waiting, lines, this.#limits.stepsMax - this.#waiting)
  }

  /** How many more channels of the function are remembered. */
  #starvedRoomOf(line: Line<Step> | undefined): number {
    const own = line?.starved.size ?? 0
    const lines = this.#starvedLines.size + (own > 0 ? 0 : 1)
    return roomOf(own, lines, this.#limits.starvedMax - this.#starved)
  }

  /** Whether the channel may have forgotten rows: as long as it waits, in memory or parked, none of its rows is forgotten. */
  #hasUnknownRows({ line, waiting, parked, claimed }: Lane<Step>): boolean {
    return this.#forgotten.has(line.functionName) && waiting.length + parked.size === 0 && !claimed
  }

  /** Remembers that the channel has the row, or that something of the function is forgotten. */
  #park(lane: Lane<Step>, { functionArn, dueAt }: FoundStep, counts: boolean): void {
    const isRemembered = lane.waiting.length + lane.parked.size > 0 || lane.claimed
    if (!isRemembered && (this.#hasUnknownRows(lane) || this.#starvedRoomOf(lane.line) === 0)) {
      this.#forgotten.add(lane.line.functionName)
      return
    }
    park(lane, functionArn, { dueFrom: dueAt, dueUntil: dueAt })
    if (counts) countParked(lane, 1)
  }

  /** Nearly always the last; one that is put back goes before the younger ones. */
  #wait(lane: Lane<Step>, step: Step): void {
    const index = lane.waiting.findLastIndex(({ order }) => order < step.order)
    lane.waiting.splice(index + 1, 0, step)
    this.#countWaiting(lane.line, 1)
  }

  #countWaiting(line: Line<Step>, steps: number): void {
    line.waiting += steps
    this.#waiting += steps
    if (line.waiting > 0) this.#waitingLines.add(line)
    else this.#waitingLines.delete(line)
  }

  #countInFlight(lane: Lane<Step>, steps: number): void {
    lane.inFlight += steps
    lane.line.inFlight += steps
    this.#settle(lane)
  }

  /** Puts the lane where it belongs after a change, and forgets it when it has nothing. */
  #settle(lane: Lane<Step>): void {
    const { line, waiting, inFlight, parked, claimed } = lane
    const level = waiting.length > 0 ? inFlight : undefined
    if (level !== lane.level) {
      if (lane.level !== undefined) line.levels[lane.level]?.delete(lane)
      if (level !== undefined) levelOf(line, level).add(lane)
      lane.level = level
      line.next = line.levels.find(({ size }) => size > 0)?.first
      this.#turns += 1
      lane.since = this.#turns
    }
    const isRefillable = parked.size > 0 && !claimed
    const isLow = waiting.length <= this.#limits.channelStepsMax / 4
    this.#starved -= line.starved.size
    setMember(line.starved, lane, isRefillable && waiting.length === 0)
    setMember(line.low, lane, isRefillable && waiting.length > 0 && isLow)
    this.#starved += line.starved.size
    setMember(this.#starvedLines, line, line.starved.size > 0)
    setMember(this.#lowLines, line, line.low.size > 0)
    const isEmpty = waiting.length + inFlight + lane.ending + parked.size === 0
    if (isEmpty && !claimed) line.channels.delete(lane.channelArn)
    if (line.channels.size === 0) this.#lines.delete(line.functionName)
  }
}

/**
 * How many more a function may have, of what `sharers` functions share: as long as all of them could have as many as it
 * has out of what is left.
 */
function roomOf(own: number, sharers: number, left: number): number {
  return Math.max(0, Math.ceil((left - own * sharers) / (sharers + 1)))
}

const noBacklog = { steps: 0, channels: 0 }

function setMember<T>(set: OrderedSet<T>, value: T, isMember: boolean): void {
  if (isMember) set.add(value)
  else set.delete(value)
}
