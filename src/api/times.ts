/** In milliseconds. */
export const dayMs = 86_400_000

/** How a time, in milliseconds, is written: as a number in HTTP answers, as text in WebSocket payloads. */
export type WriteTime<Time> = (timeMs: number) => Time

/** As HTTP answers have it: seconds since the epoch, milliseconds as the fraction. */
export const epochSeconds: WriteTime<number> = (timeMs) => timeMs / 1000

/** As WebSocket payloads have it: ISO 8601 with three fraction digits and Z, which the iOS client parses to the letter. */
export const isoText: WriteTime<string> = (timeMs) => new Date(timeMs).toISOString()

/**
 * The milliseconds of a time in seconds. Rounded to whole microseconds, since 2147483648.002 * 1000 is a little less than
 * the millisecond it names.
 */
export const milliseconds = (epochSeconds: number): number => Math.round(epochSeconds * 1_000_000) / 1_000
