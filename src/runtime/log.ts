import { type DestinationStream, levels, pino, symbols } from 'pino'

/** The log of the server. Never log a secret, a message's text or a CallbackId at the default level. */
export interface Log {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/**
 * JSON lines on standard error; on a terminal, pretty lines by default. Standard output belongs to the commands.
 */
export async function createLog(
  level: string,
  format: 'json' | 'pretty' = process.stderr.isTTY ? 'pretty' : 'json',
): Promise<Log> {
  const log: Log = pino(
    { level, serializers: { err: errorOf } },
    format === 'pretty' ? await prettyLines() : jsonLines(),
  )
  return log
}

/** Loaded on demand: it takes longer to load than pino. */
async function prettyLines(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty')
  return pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' })
}

function jsonLines(): DestinationStream {
  const lines = new LineFlush((text) => process.stderr.write(text))
  // Also when an uncaught error ends the process.
  process.once('exit', () => lines.flush())
  return lines
}

/** A longer buffer is written before the turn ends. */
const bufferedCharactersMax = 64 * 1024

/**
 * Buffers the lines of one turn of the event loop for one write: messages that share a commit end together, each with a
 * line, and one write takes longer than formatting ten lines. A warning or an error is written at once, with the lines
 * before it: it may be the last line of the process.
 */
export class LineFlush implements DestinationStream {
  /** Asks pino to set `lastLevel` before each line. */
  readonly [symbols.needsMetadataGsym] = true
  lastLevel = 0
  readonly #write: (text: string) => void
  #buffer = ''

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  write(line: string): void {
    if (this.#buffer === '') setImmediate(() => this.flush())
    this.#buffer += line
    if (this.lastLevel >= levels.values.warn! || this.#buffer.length > bufferedCharactersMax) this.flush()
  }

  flush(): void {
    const text = this.#buffer
    this.#buffer = ''
    if (text !== '') this.#write(text)
  }
}

/** Only fields that never contain a row: PostgreSQL's errors quote written values in `detail` and `where`. */
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

/** For tests and the demo, which check outcomes instead. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} }
