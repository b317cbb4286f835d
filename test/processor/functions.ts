import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { createFunctionTarget } from '../../src/processor/function-target.ts'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import type { HandOff } from '../../src/processor/target.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import type { Log } from '../../src/runtime/log.ts'

export interface Line {
  level: 'debug' | 'info' | 'warn' | 'error'
  fields: Record<string, unknown>
  text: string
}

/** Keeps what is logged, and tells who waits for it. */
export class RecordingLog implements Log {
  readonly lines: Line[] = []
  #changed = new EventEmitter()

  debug = this.#write('debug')
  info = this.#write('info')
  warn = this.#write('warn')
  error = this.#write('error')

  /** The texts at a level: what functions print is `info` or `warn`. */
  texts(level: Line['level']): string[] {
    return this.lines.filter((line) => line.level === level).map((line) => line.text)
  }

  async waitFor(text: string): Promise<void> {
    while (!this.lines.some((line) => line.text.includes(text))) await once(this.#changed, 'line')
  }

  /** Waits for one more line with this text than there are. */
  async waitForNext(text: string): Promise<void> {
    const count = () => this.lines.filter((line) => line.text.includes(text)).length
    for (const before = count(); count() === before; ) await once(this.#changed, 'line')
  }

  #write(level: Line['level']) {
    return (fields: object, text: string) => {
      this.lines.push({ level, fields: { ...fields }, text })
      this.#changed.emit('line')
    }
  }
}

/** Files to write, by their path below the folder. */
export type Files = Record<string, string>

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

/** A folder with nothing of this project above it. */
export async function temporaryFolder(t: TestContext, files: Files = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'functions-'))
  t.after(() => rm(folder, { recursive: true }))
  await writeFiles(folder, files)
  return folder
}

export const functionArn = (name: string) => `arn:aws:lambda:us-east-1:111122223333:function:${name}`

export const processorEvent = (messageId: string): ProcessorEvent => ({
  EventType: 'CHANNEL_MESSAGE_EVENT',
  CallbackId: randomUUID(),
  ChannelMessage: {
    MessageId: messageId,
    ChannelArn: 'arn:aws:chime:us-east-1:111122223333:app-instance/a/channel/c',
    Content: 'hello',
    Sender: { Arn: 'arn:aws:chime:us-east-1:111122223333:app-instance/a/user/u', Name: 'U' },
    Persistence: 'PERSISTENT',
    Type: 'STANDARD',
    CreatedTimestamp: '2026-01-02T03:04:05.000Z',
  },
})

interface Options {
  clock?: Clock
  processesMax?: number
  messagingEndpoint?: string
}

/** A target over a folder of these files. `invoke` adds to the outcome how often the event was said to be handed over. */
export async function startFunctions(t: TestContext, files: Files, options: Options = {}) {
  const { clock = systemClock, processesMax = 32, messagingEndpoint = 'http://127.0.0.1:4001' } = options
  const folder = await temporaryFolder(t, files)
  const log = new RecordingLog()
  const environment = () => ({
    region: 'eu-central-1',
    accessKeyId: 'AKIDFUNCTION',
    secretAccessKey: 'function-secret',
    sessionToken: 'token',
    messagingEndpoint,
    identityEndpoint: 'http://127.0.0.1:4002',
  })
  const target = createFunctionTarget({ folder, processesMax, environment, clock, log, newId: randomUUID })
  t.after(() => target.close())
  const invoke = async (name: string, messageId = 'message'): Promise<HandOff & { handedOver: number }> => {
    let handedOver = 0
    const handOff = await target.invoke(name, functionArn(name), processorEvent(messageId), () => {
      handedOver += 1
    })
    return { ...handOff, handedOver }
  }
  /** Replaces a file as editors do, and waits until the target knows. */
  const write = async (path: string, text: string) => {
    const file = join(folder, path)
    if (await mkdir(dirname(file), { recursive: true })) await log.waitForNext('functions folder read')
    const known = log.waitForNext('functions folder read')
    await writeFile(join(dirname(file), '.new'), text)
    await rename(join(dirname(file), '.new'), file)
    await known
  }
  return { folder, log, target, invoke, write }
}

interface Arrival {
  name: string
  release(): void
  /** Resolves when the process that has come is gone, or has been released. */
  gone: Promise<unknown>
}

/** A server of the test, which `handler` asks for leave to end, so that the test knows who is at work. */
export async function openGate(t: TestContext) {
  const waiting: Arrival[] = []
  const gate = createServer((request, response) => {
    const name = request.url?.slice(1) ?? ''
    waiting.push({ name, release: () => response.end(), gone: once(response, 'close') })
    gate.emit('arrival')
  })
  t.after(() => {
    gate.close()
    // Processes that a failed test leaves behind wait for it, and then end.
    gate.closeAllConnections()
  })
  await once(gate.listen(0, '127.0.0.1'), 'listening')
  const url = `http://127.0.0.1:${(gate.address() as AddressInfo).port}`
  return {
    url,
    /** Its name at the gate is its process id. */
    handler: `export const handler = async () => { await fetch('${url}/' + process.pid) }`,
    /** Waits until so many have come, and takes them. */
    async arrivals(count: number): Promise<Arrival[]> {
      while (waiting.length < count) await once(gate, 'arrival')
      return waiting.splice(0)
    },
  }
}
