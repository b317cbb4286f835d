import { type DestinationStream, levels, pino, symbols } from 'pino'

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

/** Loaded when called for: it takes longer to load than pino. */
async function prettyLines(): Promise<DestinationStream> {
  const { default: pretty } = await import('pino-pretty')
  return pretty({ destination: 2, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss.l' })
}

function jsonLines(): DestinationStream {
  const lines = new LineFlush((text) => process.stderr.write(text))
  // Also when an error that nothing has caught ends the process.
  process.once('exit', () => lines.flush())
  return lines
}

/** More than this is written before the turn ends. */
const heldCharactersMax = 64 * 1024

/**
 * Gathers the lines of one turn of the event loop for one write: messages that share a commit end together, each with a
 * line, and a write takes longer than making ten of them. A warning or an error is written at once, with the lines before
 * it: it may be the last that the process says.
 */
export class LineFlush implements DestinationStream {
  /** Asks pino to set `lastLevel` before each line. */
  readonly [symbols.needsMetadataGsym] = true
  lastLevel = 0
  readonly #write: (text: string) => void
  #held = ''

  constructor(write: (text: string) => void) {
    this.#write = write
  }

  write(line: string): void {
    if (this.#held === '') setImmediate(() => this.flush())
    this.#held += line
    if (this.lastLevel >= levels.values.warn! || this.#held.length > heldCharactersMax) this.flush()
  }

  flush(): void {
    const text = this.#held
    this.#held = ''
    if (text !== '') this.#write(text)
  }
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
