import assert from 'node:assert/strict'
import { on, once } from 'node:events'
import { WebSocket } from 'ws'
import type { ConsoleClient } from './console-client.ts'

interface Frame {
  at: string
  processors: { FunctionName: string; Held: number; State: string; Error?: string }[]
  pending: { total: number; oldestSeconds: number }
  failed: number
  messages: { messageId: string; channelArn: string; status: string; at: string }[]
  output: { functionName: string; lines: string[] }[]
}

/** A page's WebSocket, as a browser opens it. */
export class LiveClient {
  readonly webSocket: WebSocket
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #messages: ReturnType<typeof on>

  constructor({ url, cookie }: ConsoleClient, headers: Record<string, string> = { origin: url }) {
    const all = { ...(cookie !== undefined && { cookie }), ...headers }
    this.webSocket = new WebSocket(`${url.replace('http', 'ws')}/console/live`, { headers: all })
    this.#messages = on(this.webSocket, 'message', { close: ['close'] })
    this.closed = once(this.webSocket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }))
  }

  async next(): Promise<Frame> {
    const { value, done } = await this.#messages.next()
    assert.ok(!done, 'the WebSocket was closed before its next frame')
    return JSON.parse(String(value[0])) as Frame
  }

  /** The first frame of which this is so. */
  async until(isSo: (frame: Frame) => boolean): Promise<Frame> {
    for (let frame = await this.next(); ; frame = await this.next()) if (isSo(frame)) return frame
  }
}

/** The HTTP status with which an upgrade is rejected. */
export async function rejectedStatus(client: ConsoleClient, headers: Record<string, string>): Promise<number> {
  const all = { ...(client.cookie !== undefined && { cookie: client.cookie }), ...headers }
  const webSocket = new WebSocket(`${client.url.replace('http', 'ws')}/console/live`, { headers: all })
  const [, response] = await once(webSocket, 'unexpected-response')
  response.resume()
  return response.statusCode
}
