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
 * A fair queue: it chooses the step that gets the next free place at a processor.
 *
 * Each function has one queue for each channel. Among all functions with a free place, `take` chooses the channel with
 * the fewest steps in flight at its function; among equals, the channel that was chosen the longest time ago; within the
 * channel, the oldest step. It compares the channels of all functions, because functions may share a limit.
 *
 * A channel with `reserveFrom` or more steps in flight at a function leaves that function's last free place to another
 * channel. So the steps of one channel cannot block another channel: its step is taken at once, or, if several channels
 * have taken all places, when the next of their steps ends.
 *
 * Memory is limited: there is a maximum of waiting steps for each channel and function, and one for all. A step beyond
 * them is parked: memory has its channel, and the step is only a row. To keep the order, a channel with parked steps
 * parks new steps, too, until `claim` and `refill` have read its rows. The functions are refilled round-robin, their
 * channels with no step in memory first. The number of channels is limited, too: beyond it the steps of a function are
 * forgotten, those of new channels included, until a walk over this node's rows finds them again (own-steps.ts).
 *
 * Functions share the memory (`roomOf`), so that a stuck function leaves room for the others. The first stuck function
 * takes at most half of the 10,000 steps, the second a sixth, the n-th 1/(n(n+1)): nearly 200 functions can be stuck
 * before another one has no room. If each took half of the rest, 14 stuck functions would exhaust the memory.
 */

export interface QueueLimits {
  /** Maximum of steps that wait in memory. */
  stepsMax: number
  /** Maximum of steps of one channel that wait in memory for one function. */
  channelStepsMax: number
  /** Maximum of channels with parked steps and no step in memory. The functions share it in the same way. */
  starvedMax: number
}

export const queueLimits: QueueLimits = { stepsMax: 10_000, channelStepsMax: 64, starvedMax: 10_000 }

/** A walk is worth its reads if there is room for this fraction of `starvedMax`. */
const walkShare = 16

/** A channel with so many steps in flight at a function leaves the last free place to others. */
const reserveFrom = 3

/** Asks the caller to read the rows of one channel and one function ARN, in order. */
export interface Claim<Step> extends DueRange {
  readonly lane: Lane<Step>
  readonly channelArn: string
  readonly channelId: number
  readonly functionArn: string
  /** The number of steps that the queue has room for. */
  readonly stepsMax: number
  /** The number of the channel's steps in memory: the read returns their rows, too. */
  readonly inMemory: number
}

export class StepQueue<Step extends QueuedStep> {
  readonly #limits: QueueLimits
  readonly #lines = new Map<string, Line<Step>>()
  readonly #waitingLines = new Set<Line<Step>>()
  /** The names of the functions with forgotten steps. */
  readonly #forgotten = new Set<string>()
  /** True until the walk after the start has ended: rows that it has not found yet come before new steps. */
  #isFilling = false
  /** The lines with starved lanes and the lines with low ones, both in the order of their next refill. */
  readonly #starvedLines = new OrderedSet<Line<Step>>()
  readonly #lowLines = new OrderedSet<Line<Step>>()
  #waiting = 0
  #starved = 0
  #picks = 0

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

  /** The number of steps that wait for a place at the function, in memory or parked, and the number of their channels. */
  backlogOf(functionName: string): { steps: number; channels: number } {
    const line = this.#lines.get(functionName)
    return line ? { steps: line.waiting + line.parkedSteps, channels: line.channels.size } : noBacklog
  }

  /** The number of the channel's steps among them. */
  backlogOfChannel(functionName: string, channelArn: string): number {
    const lane = this.#lines.get(functionName)?.channels.get(channelArn)
    return lane ? lane.waiting.length + lane.parkedSteps : 0
  }

  /** Whether steps of the function wait or are in flight. */
  has(functionName: string): boolean {
    return this.#lines.has(functionName)
  }

  /** Returns false if the step is parked or forgotten. */
  add(step: Step): boolean {
    const lane = this.#laneOf(step)
    // The starved lanes get the room first: their steps are older.
    const isFull =
      lane.waiting.length >= this.#limits.channelStepsMax || this.#roomOf(lane.line) <= lane.line.starved.size
    const isBehindRows = lane.parked.size > 0 || lane.claimed || this.#hasUnknownRows(lane)
    const parks = isFull || isBehindRows || this.#isFilling
    if (parks) this.#park(lane, step, true)
    else this.#wait(lane, step)
    this.#settle(lane)
    return !parks
  }

  /** Parks a step that a walk has found. `isNew`: the step is not counted yet, even if the rows around it are. */
  find(step: FoundStep, isNew: boolean): void {
    const lane = this.#laneOf(step)
    const known = lane.parked.get(step.functionArn)
    const isCounted = !isNew && known && known.dueFrom <= step.dueAt && step.dueAt <= known.dueUntil
    this.#park(lane, step, !isCounted)
    this.#settle(lane)
  }

  /** Begins a walk, which finds the forgotten steps. `claim` returns nothing before the first walk has ended. */
  beginWalk(isFirst: boolean): void {
    this.#forgotten.clear()
    this.#isFilling = isFirst
  }

  endWalk(): void {
    this.#isFilling = false
  }

  /** Whether there is room for some of the forgotten channels. */
  get remembersForgotten(): boolean {
    const enough = this.#limits.starvedMax / walkShare
    if (this.#forgotten.size === 0) return false
    return [...this.#forgotten].some((functionName) => {
      const line = this.#lines.get(functionName)
      const room = this.#starvedRoomOf(line)
      return room >= enough || (room > 0 && (line?.starved.size ?? 0) === 0)
    })
  }

  /** Takes the step for the next free place: it is in flight. Undefined if no step can have a place. */
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

  /** The step is not in flight any more. Until `end`, its row is open. */
  release(step: Step): void {
    const lane = this.#laneOf(step)
    lane.ending += 1
    this.#countInFlight(lane, -1)
  }

  /** The step was released, and its row is not open any more. */
  end(step: Step): void {
    const lane = this.#laneOf(step)
    lane.ending -= 1
    this.#settle(lane)
  }

  /** The step is not in flight any more and waits again, at its old position. */
  putBack(step: Step): void {
    const lane = this.#laneOf(step)
    this.#wait(lane, step)
    this.#countInFlight(lane, -1)
  }

  /** Removes the step if it waits. */
  remove(step: Step): void {
    const lane = this.#lines.get(step.functionName)?.channels.get(step.channelArn)
    const index = lane ? lane.waiting.indexOf(step) : -1
    if (!lane || index < 0) return
    lane.waiting.splice(index, 1)
    this.#countWaiting(lane.line, -1)
    this.#settle(lane)
  }

  /** Claims the next channel until its `refill`; undefined if there is none, or no room. */
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
    // Its function is refilled next after all others.
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

  /** Ends the claim with the steps that were read, at most `stepsMax`. `moreFrom`: from when further rows may be due. */
  refill({ lane, functionArn, dueUntil }: Claim<Step>, steps: readonly Step[], moreFrom: number | undefined): void {
    for (const step of steps) this.#wait(lane, step)
    if (moreFrom !== undefined) park(lane, functionArn, { dueFrom: moreFrom, dueUntil })
    // Steps that ended while they were parked are discovered when no more rows are left.
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

  /** The number of further steps of the function that may wait in memory. */
  #roomOf(line: Line<Step>): number {
    const lines = this.#waitingLines.size + (line.waiting > 0 ? 0 : 1)
    return roomOf(line.waiting, lines, this.#limits.stepsMax - this.#waiting)
  }

  /** The number of further channels of the function that may have parked steps and no step in memory. */
  #starvedRoomOf(line: Line<Step> | undefined): number {
    const own = line?.starved.size ?? 0
    const lines = this.#starvedLines.size + (own > 0 ? 0 : 1)
    return roomOf(own, lines, this.#limits.starvedMax - this.#starved)
  }

  /** Whether the channel may have forgotten rows. It has none while it has waiting or parked steps. */
  #hasUnknownRows({ line, waiting, parked, claimed }: Lane<Step>): boolean {
    return this.#forgotten.has(line.functionName) && waiting.length + parked.size === 0 && !claimed
  }

  /** Records a row of the channel, or that the function has forgotten steps. */
  #park(lane: Lane<Step>, { functionArn, dueAt }: FoundStep, counts: boolean): void {
    const isRemembered = lane.waiting.length + lane.parked.size > 0 || lane.claimed
    if (!isRemembered && (this.#hasUnknownRows(lane) || this.#starvedRoomOf(lane.line) === 0)) {
      this.#forgotten.add(lane.line.functionName)
      return
    }
    park(lane, functionArn, { dueFrom: dueAt, dueUntil: dueAt })
    if (counts) countParked(lane, 1)
  }

  /** A new step is the last one; a step that is put back goes before the younger ones. */
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

  /** Updates the sets that contain the lane after a change of it, and deletes an empty lane. */
  #settle(lane: Lane<Step>): void {
    const { line, waiting, inFlight, parked, claimed } = lane
    const level = waiting.length > 0 ? inFlight : undefined
    if (level !== lane.level) {
      if (lane.level !== undefined) line.levels[lane.level]?.delete(lane)
      if (level !== undefined) levelOf(line, level).add(lane)
      lane.level = level
      line.next = line.levels.find(({ size }) => size > 0)?.first
      this.#picks += 1
      lane.since = this.#picks
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
 * The number of further entries that a function with `own` entries may have of a limit that `sharers` functions share. It
 * may grow as long as `left` would suffice for each of them to have as many.
 */
function roomOf(own: number, sharers: number, left: number): number {
  return Math.max(0, Math.ceil((left - own * sharers) / (sharers + 1)))
}

const noBacklog = { steps: 0, channels: 0 }

function setMember<T>(set: OrderedSet<T>, value: T, isMember: boolean): void {
  if (isMember) set.add(value)
  else set.delete(value)
}
