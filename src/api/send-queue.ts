import { OrderedSet } from '../runtime/ordered-set.ts'

/** Whose turn it is: a send is judged and queued by the function that it makes wait, and by its channel. */
export interface SendKey {
  /** Empty for a message that no flow holds. */
  readonly functionName: string
  readonly channelArn: string
}

/** The sends of one function, by channel. */
interface Line<Send> {
  functionName: string
  lanes: Map<string, Lane<Send>>
  /** The lanes in the order of their turns. */
  order: OrderedSet<Lane<Send>>
}

/** The sends of one channel, the oldest first. */
interface Lane<Send> {
  channelArn: string
  sends: Send[]
}

/** Sends that wait. The functions take turns, and so do the channels of a function; a channel's sends keep their order. */
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

  /** The next send that may begin, or undefined if none may. It waits no more. Of a function that is closed, none may. */
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

  /** The send waits no more. */
  remove(send: Send): void {
    const index = this.#lines.get(send.functionName)?.lanes.get(send.channelArn)?.sends.indexOf(send) ?? -1
    if (index >= 0) this.#remove(send, index)
  }

  /** The next turn is that of another function, and that of this function is another channel's. */
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
