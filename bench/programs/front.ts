import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { region, rootKeys } from '../wire/calls.ts'
import { HttpClient } from '../wire/http-client.ts'
import { Signer, Verifier } from '../wire/sigv4.ts'

/** The state of a front for a message in flight at its processor. */
export interface Held {
  messageId: string
  channelArn: string
  senderArn: string
  content: string
}

/** The durable part behind a front. The benchmark compares these. */
export interface Keeper {
  /** Resolves when the message would survive a crash. From then on `dispatch` is called, once. */
  accept(held: Held): Promise<void>
  /** Resolves when the verdict would survive a crash. */
  decide(held: Held, callbackId: string): Promise<void>
}

const functionPath = '/2015-03-31/functions/allow/invocations'
const channelPattern = /^\/channels\/([^/?]+)/

/**
 * The part of the API that one flow needs, so that the floor and the peers are measured with the programs that measure
 * Carillon: a send, an Invoke, a callback, and two frames on the sender's session. All signatures are verified; there
 * are no permissions and no validation.
 */
export class Front {
  readonly #verifier = new Verifier(rootKeys)
  readonly #signer = new Signer(rootKeys, region, 'lambda')
  readonly #processor: HttpClient
  readonly #keeper: Keeper
  readonly #held = new Map<string, Held>()
  readonly #sessions = new Map<string, WebSocket>()

  constructor(processorUrl: string, keeper: Keeper) {
    this.#processor = new HttpClient(processorUrl)
    this.#keeper = keeper
  }

  /** The URL. */
  async listen(): Promise<string> {
    const server = createServer((request, response) => void this.#serve(request, response))
    const webSockets = new WebSocketServer({ noServer: true })
    server.on('upgrade', (request, stream, head) => {
      webSockets.handleUpgrade(request, stream, head, (webSocket) => this.#establish(request.url ?? '', webSocket))
    })
    server.keepAliveTimeout = 0
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** Sends the event to the processor, signed. Its verdict has this id. */
  async dispatch(held: Held, callbackId: string): Promise<void> {
    const { messageId, channelArn, senderArn, content } = held
    this.#held.set(callbackId, held)
    const event = {
      EventType: 'CHANNEL_MESSAGE_EVENT',
      CallbackId: callbackId,
      ChannelMessage: { MessageId: messageId, ChannelArn: channelArn, Content: content, Sender: { Arn: senderArn } },
    }
    const body = JSON.stringify(event)
    const { host } = this.#processor
    const headers = this.#signer.headers({ method: 'POST', path: functionPath, host, body })
    const length = `content-length: ${Buffer.byteLength(body)}\r\n`
    await this.#processor.exchange(`POST ${functionPath} HTTP/1.1\r\n${headers}${length}\r\n${body}`)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)
    const { method = '', url: target = '', headers } = request
    if (!this.#verifier.accepts({ method, target, headers, body })) return this.#answer(response, 403, {})
    const input = JSON.parse(body.toString()) as { CallbackId: string; Content: string }
    if (target.endsWith('operation=channel-flow-callback')) return this.#callback(input.CallbackId, response)
    const channelArn = decodeURIComponent(channelPattern.exec(target)?.[1] ?? '')
    await this.#send(channelArn, `${headers['x-amz-chime-bearer']}`, input.Content, response)
  }

  async #send(channelArn: string, senderArn: string, content: string, response: ServerResponse): Promise<void> {
    const held = { messageId: randomUUID(), channelArn, senderArn, content }
    await this.#keeper.accept(held)
    this.#answer(response, 201, { ChannelArn: channelArn, MessageId: held.messageId, Status: { Value: 'PENDING' } })
    this.#tell(held, 'PENDING_CREATE_CHANNEL_MESSAGE', 'PENDING')
  }

  async #callback(callbackId: string, response: ServerResponse): Promise<void> {
    const held = this.#held.get(callbackId)
    if (!held) return this.#answer(response, 403, {})
    this.#held.delete(callbackId)
    await this.#keeper.decide(held, callbackId)
    this.#answer(response, 200, { ChannelArn: held.channelArn, CallbackId: callbackId })
    this.#tell(held, 'CREATE_CHANNEL_MESSAGE', 'SENT')
  }

  #answer(response: ServerResponse, status: number, output: object): void {
    const text = JSON.stringify(output)
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  }

  #establish(target: string, webSocket: WebSocket): void {
    const userArn = new URLSearchParams(target.slice(target.indexOf('?') + 1)).get('userArn') ?? ''
    this.#sessions.set(userArn, webSocket)
    webSocket.send(JSON.stringify({ Headers: { 'x-amz-chime-event-type': 'SESSION_ESTABLISHED' } }))
  }

  #tell({ channelArn, messageId, senderArn, content }: Held, eventType: string, status: string): void {
    const message = { ChannelArn: channelArn, MessageId: messageId, Content: content, Status: { Value: status } }
    const Headers = { 'x-amz-chime-event-type': eventType, 'x-amz-chime-message-type': 'STANDARD' }
    this.#sessions.get(senderArn)?.send(JSON.stringify({ Headers, Payload: JSON.stringify(message) }))
  }
}
