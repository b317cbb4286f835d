/** AWS's quota for us-east-1: sends, updates, redactions, deletions and callbacks together, per channel. */
const channelWritesPerSecond = 30
/** AWS does not say how large a burst may be. */
const burstSeconds = 2
/** Channels that are remembered at a time; the one that wrote longest ago is forgotten first, and starts afresh. */
const channelsMax = 100_000

interface Bucket {
  tokens: number
  filledAt: number
}

/** A bucket of tokens per channel, as AWS throttles. Answers whether the call may go on, and takes a token if so. */
export function createRates(now: () => number): (channelArn: string) => boolean {
  const buckets = new Map<string, Bucket>()
  const full = channelWritesPerSecond * burstSeconds
  return (channelArn) => {
    const known = buckets.get(channelArn) ?? { tokens: full, filledAt: now() }
    const refill = (Math.max(0, now() - known.filledAt) / 1000) * channelWritesPerSecond
    const tokens = Math.min(full, known.tokens + refill)
    const passes = tokens >= 1
    // Set anew, so that the order of the map is the order of the last writes.
    buckets.delete(channelArn)
    buckets.set(channelArn, { tokens: passes ? tokens - 1 : tokens, filledAt: now() })
    if (buckets.size > channelsMax) buckets.delete(buckets.keys().next().value as string)
    return passes
  }
}
