/** AWS's quota for us-east-1: sends, updates, redactions, deletions and callbacks together, per channel. */
const channelWritesPerSecond = 30
/** The size of a burst. AWS does not document it. */
const burstSeconds = 2
/** Maximum of buckets. The one that was used the longest time ago is evicted first; its channel gets a new, full bucket. */
const channelsMax = 100_000

interface Bucket {
  tokens: number
  filledAt: number
}

/** A token bucket per channel, as AWS throttles. Returns whether the call is accepted, and then takes a token. */
export function createRates(now: () => number): (channelArn: string) => boolean {
  const buckets = new Map<string, Bucket>()
  const full = channelWritesPerSecond * burstSeconds
  return (channelArn) => {
    const known = buckets.get(channelArn) ?? { tokens: full, filledAt: now() }
    const refill = (Math.max(0, now() - known.filledAt) / 1000) * channelWritesPerSecond
    const tokens = Math.min(full, known.tokens + refill)
    const passes = tokens >= 1
    // Deleted and inserted again, so that the map is in the order of the last use.
    buckets.delete(channelArn)
    buckets.set(channelArn, { tokens: passes ? tokens - 1 : tokens, filledAt: now() })
    if (buckets.size > channelsMax) buckets.delete(buckets.keys().next().value as string)
    return passes
  }
}
