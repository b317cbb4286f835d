import { EventEmitter, once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'

/** Functions that only report their events to the test: the test gives the verdicts. */
export class Processors {
  /** Events that have arrived and were not awaited. */
  #events: ProcessorEvent[] = []
  #arrivals = new EventEmitter()
  #server: Server
  /** Functions end their calls when this resolves. */
  #held: Promise<void> | undefined

  constructor(server: Server) {
    this.#server = server
    server.on('request', async (request, response) => {
      this.#events.push((await json(request)) as ProcessorEvent)
      this.#arrivals.emit('event')
      await this.#held
      response.end()
    })
  }

  /** Puts the functions `first`, `second` and `third` into the folder. */
  static async open(folder: string): Promise<Processors> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const source = `
      export async function handler(event) {
        await fetch('${url}', { method: 'POST', body: JSON.stringify(event) })
      }`
    await mkdir(folder)
    for (const name of ['first', 'second', 'third']) await writeFile(join(folder, `${name}.mjs`), source)
    return new Processors(server)
  }

  /** Keeps functions busy, from the next event on. The returned function ends that. */
  hold(): () => void {
    const held = Promise.withResolvers<void>()
    this.#held = held.promise
    return held.resolve
  }

  /** Waits for the next event about this message. */
  async next(messageId: string | undefined): Promise<ProcessorEvent> {
    const isAsked = (event: ProcessorEvent) => event.ChannelMessage.MessageId === messageId
    while (!this.#events.some(isAsked)) await once(this.#arrivals, 'event')
    const [event] = this.#events.splice(this.#events.findIndex(isAsked), 1)
    return event!
  }

  /** Waits for the event of the step after this one, whose own event a restart of the server may have sent again. */
  async nextAfter({ CallbackId, ChannelMessage }: ProcessorEvent): Promise<ProcessorEvent> {
    const event = await this.next(ChannelMessage.MessageId)
    return event.CallbackId === CallbackId ? this.nextAfter(event) : event
  }

  close(): Promise<void> {
    this.#server.closeAllConnections()
    return new Promise((resolve) => this.#server.close(() => resolve()))
  }
}
