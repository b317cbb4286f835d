import assert from 'node:assert/strict'
import { on, once } from 'node:events'
import { type ClientOptions, WebSocket } from 'ws'

/** What a client understands of a frame. */
interface ReceivedFrame {
  eventType: string
  messageType: string
  payload: unknown
}

/** A WebSocket client that keeps the frames until the test asks for them. */
export class SessionClient {
  readonly webSocket: WebSocket
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #messages: ReturnType<typeof on>

  constructor(address: string, options: ClientOptions = {}) {
    this.webSocket = new WebSocket(address, options)
    this.#messages = on(this.webSocket, 'message', { close: ['close'] })
    this.closed = once(this.webSocket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }))
  }

  async next(): Promise<ReceivedFrame> {
    const { value, done } = await this.#messages.next()
    assert.ok(!done, 'the session was closed before its next frame')
    const [data, isBinary] = value
    assert.equal(isBinary, false)
    const { Headers, Payload } = JSON.parse(String(data))
    return {
      eventType: Headers['x-amz-chime-event-type'],
      messageType: Headers['x-amz-chime-message-type'],
      payload: Payload === undefined ? undefined : JSON.parse(Payload),
    }
  }

  /** The event types of the next frames. */
  async eventTypes(count: number): Promise<string[]> {
    const eventTypes: string[] = []
    while (eventTypes.length < count) eventTypes.push((await this.next()).eventType)
    return eventTypes
  }
}

interface Connect {
  port: number
  userArn: string
  sessionId?: string
  /** More parameters of the query. */
  query?: Record<string, string>
  options?: ClientOptions
}

export function connect({ port, userArn, sessionId = '1', query = {}, options = {} }: Connect): SessionClient {
  const parameters = new URLSearchParams({ userArn, sessionId, ...query })
  return new SessionClient(`ws://127.0.0.1:${port}/connect?${parameters}`, options)
}

/** Connects, and reads SESSION_ESTABLISHED. */
export async function start(session: Connect): Promise<SessionClient> {
  const client = connect(session)
  assert.deepEqual(await client.next(), {
    eventType: 'SESSION_ESTABLISHED',
    messageType: 'SYSTEM',
    payload: undefined,
  })
  return client
}
