import { request } from 'node:http'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CarillonProcess } from '../../bench/system/carillon.ts'
import type { Janitor } from '../../bench/system/janitor.ts'
import { Api } from '../../bench/wire/calls.ts'
import type { LoopPause } from './loop-pause.ts'

const main = join(import.meta.dirname, '../../src/main.ts')
const loopPause = pathToFileURL(join(import.meta.dirname, 'loop-pause.ts')).href

export interface Place {
  dataDir: string
  /** Undefined: SQLite in the data folder. */
  databaseUrl: string | undefined
}

/** A server in a process of its own, whose longest pause of the event loop can be asked. */
export class ScaleServer implements AsyncDisposable {
  readonly #process: CarillonProcess
  readonly #socket: string
  readonly api: Api

  private constructor(process: CarillonProcess, socket: string) {
    this.#process = process
    this.#socket = socket
    this.api = new Api(process.endpoint.http)
  }

  static async start({ dataDir, databaseUrl }: Place, janitor: Janitor): Promise<ScaleServer> {
    const socket = join(dataDir, `loop-${performance.now()}.sock`)
    const environment = { NODE_OPTIONS: `--import ${loopPause}`, LOOP_PAUSE_SOCKET: socket }
    const options = { main, dataDir, environment, ...(databaseUrl !== undefined && { databaseUrl }) }
    return new ScaleServer(await CarillonProcess.start(options, janitor), socket)
  }

  get url(): string {
    return this.#process.endpoint.http
  }

  /** The longest pause of the event loop since it was asked last. */
  longestPause(): Promise<LoopPause> {
    const { promise, resolve, reject } = Promise.withResolvers<LoopPause>()
    request({ socketPath: this.#socket, path: '/' }, async (response) => {
      resolve(JSON.parse((await response.toArray()).join('')) as LoopPause)
    })
      .on('error', reject)
      .end()
    return promise
  }

  async stop(): Promise<void> {
    this.api.close()
    await this.#process.stop()
  }

  async kill(): Promise<void> {
    this.api.close()
    await this.#process.kill()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill()
  }
}
