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
  return pino({ level }, stream)
}

/** For tests and the demo, which look at outcomes instead. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
