import { connect, type Socket } from 'node:net'
import { MessageReader } from './messages.ts'

export interface Response {
  status: number
  body: string
}

/** One kept connection, for one request at a time. It costs a third of node:http's client. */
class Connection {
  readonly #socket: Socket
  readonly #reader = new MessageReader()
  #waiting: PromiseWithResolvers<Response> | undefined
  isOpen = true

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true })
    this.#socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    this.#socket.on('error', (error) => this.#end(error))
    this.#socket.on('close', () => this.#end(new Error('the connection was closed')))
  }

  exchange(request: string): Promise<Response> {
    this.#waiting = Promise.withResolvers()
    this.#socket.write(request)
    return this.#waiting.promise
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(bytes: Buffer): void {
    try {
      for (const { startLine, body } of this.#reader.read(bytes)) {
        const waiting = this.#waiting
        this.#waiting = undefined
        waiting?.resolve({ status: Number(startLine.slice(9, 12)), body })
      }
    } catch (error) {
      this.#socket.destroy(error as Error)
    }
  }

  #end(error: Error): void {
    this.isOpen = false
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }
}

/** A client of one server. It has as many connections as there were concurrent requests. */
export class HttpClient {
  readonly host: string
  readonly #hostname: string
  readonly #port: number
  #idle: Connection[] = []
  readonly #all = new Set<Connection>()

  /** `url` is `http://host:port`. */
  constructor(url: string) {
    const { host, hostname, port } = new URL(url)
    this.host = host
    this.#hostname = hostname
    this.#port = Number(port)
  }

  /** `request` is the whole request as bytes. Rejects if the connection ends before the response does. */
  async exchange(request: string): Promise<Response> {
    const connection = this.#take()
    try {
      return await connection.exchange(request)
    } finally {
      if (connection.isOpen) this.#idle.push(connection)
      else this.#all.delete(connection)
    }
  }

  close(): void {
    for (const connection of this.#all) connection.close()
  }

  #take(): Connection {
    for (let kept = this.#idle.pop(); kept; kept = this.#idle.pop()) if (kept.isOpen) return kept
    const connection = new Connection(this.#hostname, this.#port)
    this.#all.add(connection)
    return connection
  }
}
