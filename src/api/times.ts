/** In milliseconds. */
export const dayMs = 86_400_000

/** The format of a time, in milliseconds: a number in HTTP responses, text in WebSocket payloads. */
export type WriteTime<Time> = (timeMs: number) => Time

/** The format of HTTP responses: seconds since the epoch, with the milliseconds as the fraction. */
export const epochSeconds: WriteTime<number> = (timeMs) => timeMs / 1000

/** The format of WebSocket payloads: ISO 8601 with three fraction digits and Z. The iOS client parses no other format. */
export const isoText: WriteTime<string> = (timeMs) => new Date(timeMs).toISOString()

/**
 * Converts seconds to milliseconds. It rounds to whole microseconds, because 2147483648.002 * 1000 is slightly less than the
 * exact millisecond.
 */
export const milliseconds = (epochSeconds: number): number => Math.round(epochSeconds * 1_000_000) / 1_000
