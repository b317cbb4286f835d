/**
 * The connection over which a function's process gets its events: a line of JSON each way for an event. It begins as a
 * request to the Runtime API. The server's end is `runtime-channel.ts`.
 */
import { request } from 'node:http'
import type { Socket } from 'node:net'
import { type ChannelReport, channelProtocol, type RuntimeInvocation } from './bootstrap-terms.ts'

export class Channel {
  readonly #socket: Socket
  #text = ''
  #waiting: PromiseWithResolvers<RuntimeInvocation> | undefined
  #end: Error | undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('utf8').on('data', (text: string) => this.#read(text))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('the server has closed the connection')))
  }

  static open(url: string): Promise<Channel> {
    return new Promise((resolve, reject) => {
      const headers = { Connection: 'Upgrade', Upgrade: channelProtocol }
      request(url, { headers, agent: false })
        .on('upgrade', (_response, socket) => resolve(new Channel(socket as Socket)))
        .on('response', ({ statusCode }) => reject(new Error(`the server rejected the connection: ${statusCode}`)))
        .on('error', reject)
        .end()
    })
  }

  /** Reports the last invocation, if there was one, and waits for the next. The process must stay alive during the wait. */
  async next(report: ChannelReport): Promise<RuntimeInvocation> {
    if (this.#end) throw this.#end
    this.#waiting = Promise.withResolvers()
    this.#socket.ref().write(`${JSON.stringify(report)}\n`)
    try {
      return await this.#waiting.promise
    } finally {
      this.#waiting = undefined
      this.#socket.unref()
    }
  }

  /** The server sends a line for each that it gets, and no other. */
  #read(text: string): void {
    this.#text += text
    if (!text.endsWith('\n')) return
    this.#waiting?.resolve(JSON.parse(this.#text))
    this.#text = ''
  }

  #fail(error: Error): void {
    this.#end ??= error
    this.#waiting?.reject(this.#end)
  }
}
