/** A time in milliseconds, as the answer at hand writes it. */
export type WriteTime<Time> = (timeMs: number) => Time

/** As HTTP answers have it: seconds since the epoch, milliseconds as the fraction. */
export const epochSeconds: WriteTime<number> = (timeMs) => timeMs / 1000

/** As WebSocket payloads have it: ISO 8601 with three fraction digits and Z, which the iOS client parses to the letter. */
export const isoText: WriteTime<string> = (timeMs) => new Date(timeMs).toISOString()
