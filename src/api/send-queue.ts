import { OrderedSet } from '../runtime/ordered-set.ts'

/** The function and the channel by which a send is admitted and queued. */
export interface SendKey {
  /** Empty for a message without a flow. */
  readonly functionName: string
  readonly channelArn: string
}

/** The sends of one function, by channel. */
interface Line<Send> {
  functionName: string
  lanes: Map<string, Lane<Send>>
  /** The lanes in round-robin order. */
  order: OrderedSet<Lane<Send>>
}

/** The sends of one channel, the oldest first. */
interface Lane<Send> {
  channelArn: string
  sends: Send[]
}

/** Sends that wait: functions round-robin, the channels of a function round-robin, and the sends of a channel in order. */
export class SendQueue<Send extends SendKey> {
  readonly #lines = new Map<string, Line<Send>>()
  readonly #order = new OrderedSet<Line<Send>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Whether a send for this function waits. */
  has(functionName: string): boolean {
    return this.#lines.has(functionName)
  }

  add(send: Send): void {
    const { functionName, channelArn } = send
    let line = this.#lines.get(functionName)
    if (!line) {
      line = { functionName, lanes: new Map(), order: new OrderedSet() }
      this.#lines.set(functionName, line)
      this.#order.add(line)
    }
    let lane = line.lanes.get(channelArn)
    if (!lane) {
      lane = { channelArn, sends: [] }
      line.lanes.set(channelArn, lane)
      line.order.add(lane)
    }
    lane.sends.push(send)
    this.#size += 1
  }

  /** Takes the next send that may begin out of the queue; undefined if none may. No send of a closed function may begin. */
  take(isOpen: (functionName: string) => boolean, mayBegin: (send: Send) => boolean): Send | undefined {
    let next: Lane<Send> | undefined
    this.#order.find(({ functionName, order }) => {
      next = isOpen(functionName) ? order.find(({ sends }) => mayBegin(sends[0] as Send)) : undefined
      return next !== undefined
    })
    const send = next?.sends[0]
    if (send) this.#remove(send, 0)
    return send
  }

  /** Removes the send from the queue. */
  remove(send: Send): void {
    const index = this.#lines.get(send.functionName)?.lanes.get(send.channelArn)?.sends.indexOf(send) ?? -1
    if (index >= 0) this.#remove(send, index)
  }

  /** Moves the function to the end of the round, and its channel to the end of the function's round. */
  #remove({ functionName, channelArn }: Send, index: number): void {
    const line = this.#lines.get(functionName) as Line<Send>
    const lane = line.lanes.get(channelArn) as Lane<Send>
    lane.sends.splice(index, 1)
    this.#size -= 1
    line.order.delete(lane)
    if (lane.sends.length > 0) line.order.add(lane)
    else line.lanes.delete(channelArn)
    this.#order.delete(line)
    if (line.order.size > 0) this.#order.add(line)
    else this.#lines.delete(functionName)
  }
}
