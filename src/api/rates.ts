import type { ChannelRate, OperationFacts } from '../contract/operation.ts'
import type { Grant } from '../keys/grant.ts'

export type RateName = ChannelRate | 'bearer'

/** Calls per second, for some of the rates. */
export type RateSettings = Partial<Record<RateName, number>>

/**
 * AWS's quotas for us-east-1, in calls per second (AWS's general reference, "Amazon Chime SDK endpoints and quotas"). The
 * rate `bearer` counts all calls of a bearer; the others count the calls of each operation in one channel, except `messages`.
 */
const awsRates: Record<RateName, number> = {
  bearer: 10,
  messages: 30,
  members: 15,
  lists: 15,
  batch: 1,
  description: 20,
  history: 30,
  reading: 30,
}

export const rateNames = Object.keys(awsRates) as RateName[]

/** The size of a burst. AWS does not document it. */
const burstSeconds = 2
/** Maximum of buckets. The one that was used the longest time ago is evicted first; it becomes a new, full one. */
const bucketsMax = 100_000
/** The input is not validated yet: a longer ARN is rejected soon, and takes no memory. */
const arnLengthMax = 1_600

interface Bucket {
  tokens: number
  filledAt: number
}

interface RatedCall {
  operation: OperationFacts
  credentials: { grant: Grant }
  input: { ChannelArn?: unknown; ChimeBearer?: unknown }
}

/**
 * Token buckets, as AWS throttles. Returns the rate that this call exceeds, or undefined and takes a token of each. The
 * bearer's comes first: a call above that takes nothing from the channel.
 */
export function createRates(now: () => number, settings: RateSettings = {}): (call: RatedCall) => RateName | undefined {
  const perSecond = { ...awsRates, ...settings }
  const buckets = new Buckets(now)
  const passes = (rate: RateName, counted: string, arn: unknown) =>
    typeof arn !== 'string' || arn.length > arnLengthMax || buckets.take(`${counted} ${arn}`, perSecond[rate])
  return ({ operation: { name, rate }, credentials: { grant }, input }) => {
    const { ChimeBearer, ChannelArn } = input
    // The key does not permit this call: it is rejected soon, and takes nothing from another user's rate.
    if (grant.kind === 'user' && ChimeBearer !== undefined && ChimeBearer !== grant.userArn) return undefined
    if (!passes('bearer', 'bearer', ChimeBearer)) return 'bearer'
    if (rate && !passes(rate, rate === 'messages' ? rate : name, ChannelArn)) return rate
    return undefined
  }
}

class Buckets {
  readonly #now: () => number
  /** In the order of the last use. */
  readonly #buckets = new Map<string, Bucket>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** Returns whether the bucket has a token, and takes it. */
  take(key: string, perSecond: number): boolean {
    const filledAt = this.#now()
    const full = perSecond * burstSeconds
    const known = this.#buckets.get(key) ?? { tokens: full, filledAt }
    const refill = (Math.max(0, filledAt - known.filledAt) / 1000) * perSecond
    const tokens = Math.min(full, known.tokens + refill)
    const passes = tokens >= 1
    // Deleted and inserted again, for the order.
    this.#buckets.delete(key)
    this.#buckets.set(key, { tokens: passes ? tokens - 1 : tokens, filledAt })
    if (this.#buckets.size > bucketsMax) this.#buckets.delete(this.#buckets.keys().next().value as string)
    return passes
  }
}
