import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { quantile } from '../figures.ts'
import { Api, channelPath } from '../wire/calls.ts'
import { Session } from '../wire/session.ts'

/** A user who sends, and the channels to which this user sends in turn. */
export interface Lane {
  senderArn: string
  channelArns: string[]
}

/** The messages to send, and the server. */
export interface Traffic {
  url: string
  lanes: Lane[]
  /** CONTROL messages are not stored, and no flow holds them. */
  kind: 'STANDARD' | 'CONTROL'
  /** False for senders that continue as soon as a message is accepted. */
  awaitsOutcome?: boolean
}

export interface FlowResult {
  /** Flows that had ended when the time had passed. */
  flowsPerSecond: number
  /** All flows that were delivered, including those that ended later. */
  flows: number
  /** Sends that got 503 with Retry-After. */
  refused: number
  p50Ms: number
  p99Ms: number
}

/** Time limit for the last flows after the last send. */
const drainMsMax = 60_000
/** About the length of a chat message. */
const content = {
  STANDARD: 'The quick brown fox jumps over the lazy dog, and the dog sleeps on. '.repeat(2),
  CONTROL: 'typing',
}

const sentType = '"CREATE_CHANNEL_MESSAGE"'
const failedTypes = ['"DENIED_CREATE_CHANNEL_MESSAGE"', '"FAILED_CREATE_CHANNEL_MESSAGE"']

/**
 * A closed loop: so many flows at once, each from its send until the sender's session receives CREATE_CHANNEL_MESSAGE.
 */
export class FlowLoad {
  readonly #traffic: Traffic
  readonly #api: Api
  readonly #clientPrefix = randomUUID()
  /** By MessageId: sends that wait for their event, and events that came before the response to the send. */
  readonly #told = new Map<string, PromiseWithResolvers<void>>()
  readonly #sessions: Session[] = []
  #sends = 0

  private constructor(traffic: Traffic) {
    this.#traffic = traffic
    this.#api = new Api(traffic.url)
  }

  /** Opens the senders' sessions. */
  static async open(traffic: Traffic): Promise<FlowLoad> {
    const load = new FlowLoad(traffic)
    const url = traffic.url.replace('http:', 'ws:')
    const onText = (payload: Buffer) => load.#receive(payload.toString())
    for (const { senderArn } of traffic.lanes) {
      const target = load.#api.connectTarget(load.#api.host, senderArn, randomUUID())
      load.#sessions.push(await Session.open({ url, target, onText }))
    }
    return load
  }

  close(): void {
    this.#api.close()
    for (const session of this.#sessions) session.close()
  }

  async run(inFlight: number, seconds: number): Promise<FlowResult> {
    const began = performance.now()
    const until = began + seconds * 1000
    const round: Round = { until, inTime: 0, refused: 0, latencies: [] }
    const loops = Array.from({ length: inFlight }, () => this.#loop(round))
    await withinMs(seconds * 1000 + drainMsMax, Promise.all(loops), () => `${this.#told.size} flows did not end`)
    const { inTime, refused, latencies } = round
    latencies.sort((a, b) => a - b)
    return {
      flowsPerSecond: inTime / seconds,
      flows: latencies.length,
      refused,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
    }
  }

  async #loop(round: Round): Promise<void> {
    for (let now = performance.now(); now < round.until; now = performance.now()) {
      const sent = await this.#send()
      if (sent.status === 503) {
        round.refused += 1
        // According to Retry-After.
        await delay(Math.max(0, Math.min(1000, round.until - performance.now())))
        continue
      }
      if (sent.status !== 201) throw new Error(`a send was answered with ${sent.status} ${sent.body}`)
      if (this.#traffic.awaitsOutcome ?? true) await this.#outcomeOf(messageIdOf(sent.body))
      const ended = performance.now()
      if (ended < round.until) round.inTime += 1
      round.latencies.push(ended - now)
    }
  }

  #send(): Promise<{ status: number; body: string }> {
    const { lanes, kind } = this.#traffic
    this.#sends += 1
    const lane = lanes[this.#sends % lanes.length] as Lane
    const turn = Math.floor(this.#sends / lanes.length)
    const channelArn = lane.channelArns[scattered(turn) % lane.channelArns.length] as string
    const body = {
      Content: content[kind],
      Type: kind,
      Persistence: kind === 'STANDARD' ? 'PERSISTENT' : 'NON_PERSISTENT',
      ClientRequestToken: `${this.#clientPrefix}-${this.#sends}`,
    }
    return this.#api.call({ method: 'POST', path: `${channelPath(channelArn)}/messages`, bearer: lane.senderArn, body })
  }

  /** Resolves when the sender's session has received the event. Rejects if the message was denied or failed. */
  #outcomeOf(messageId: string): Promise<void> {
    return this.#entry(messageId).promise.finally(() => this.#told.delete(messageId))
  }

  #entry(messageId: string): PromiseWithResolvers<void> {
    let entry = this.#told.get(messageId)
    if (!entry) {
      entry = Promise.withResolvers()
      entry.promise.catch(() => {})
      this.#told.set(messageId, entry)
    }
    return entry
  }

  #receive(frame: string): void {
    if (this.#traffic.awaitsOutcome === false) return
    const isSent = frame.includes(sentType)
    if (!isSent && !failedTypes.some((type) => frame.includes(type))) return
    const { MessageId } = JSON.parse(JSON.parse(frame).Payload) as { MessageId: string }
    if (isSent) this.#entry(MessageId).resolve()
    else this.#entry(MessageId).reject(new Error(`message ${MessageId} did not go out: ${frame}`))
  }
}

interface Round {
  until: number
  inTime: number
  refused: number
  latencies: number[]
}

/** Visits the channels of a lane in an order that no index has, as users would. */
const scattered = (turn: number) => Math.imul(turn, 2_654_435_761) >>> 0

const messageIdOf = (body: string): string => /"MessageId":"([^"]+)"/.exec(body)?.[1] ?? ''

async function withinMs<T>(limitMs: number, work: Promise<T>, problem: () => string): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`${problem()} within ${limitMs} ms`)), limitMs)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
