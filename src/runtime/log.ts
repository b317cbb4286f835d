import { pino } from 'pino'
import pretty from 'pino-pretty'

/** What a part of the server may say. Never a secret, a message's text or a CallbackId at the default level. */
export interface Log {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/**
 * JSON lines on standard error; at a terminal, lines for a person, unless told otherwise. Standard output belongs to the
 * commands.
 */
export function createLog(level: string, format: 'json' | 'pretty' = process.stderr.isTTY ? 'pretty' : 'json'): Log {
  const stream =
    format === 'pretty'
      ? pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' })
      : process.stderr
  return pino({ level, serializers: { err: errorOf } }, stream)
}

/** Only what is known to hold no row: PostgreSQL's errors quote what was to be written in `detail` and `where`. */
function errorOf(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error }
  const { code, constraint } = error as { code?: unknown; constraint?: unknown }
  return {
    type: error.name,
    message: error.message,
    stack: error.stack,
    ...(code !== undefined && { code }),
    ...(constraint !== undefined && { constraint }),
    ...(error.cause !== undefined && { cause: errorOf(error.cause) }),
  }
}

/** For tests and the demo, which look at outcomes instead. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
