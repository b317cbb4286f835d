import { endSession } from '../server/call.ts'
import type { MessageStatus } from '../server/messages.ts'
import type { Processor } from '../server/processors.ts'
import { Watched } from '../watched.ts'

/** What has changed on the server, at most once a second. */
export interface Frame {
  at: string
  /** By the clock of the page. */
  receivedAtMs: number
  processors: Processor[]
  pending: { total: number; oldestSeconds: number }
  /** In the last hour. */
  failed: number
  messages: ChangedMessage[]
  output: Output[]
}

export interface ChangedMessage {
  messageId: string
  channelArn: string
  status: MessageStatus
  at: string
}

export interface Output {
  functionName: string
  at: string
  lines: string[]
}

export type Connection = 'connecting' | 'open' | 'lost'

export const connection = new Watched<Connection>('connecting')
export const latestFrame = new Watched<Frame | undefined>(undefined)

const waitMinMs = 500
const waitMaxMs = 15_000
const sessionEndedCode = 4401

/** One WebSocket for the whole page, which is opened again when it is lost. The returned function closes it. */
export function openLive(): () => void {
  let socket: WebSocket
  let waitMs = waitMinMs
  let timer: ReturnType<typeof setTimeout> | undefined
  const open = () => {
    socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/console/live`)
    socket.onopen = () => {
      waitMs = waitMinMs
      connection.set('open')
    }
    socket.onmessage = ({ data }) => latestFrame.set({ ...JSON.parse(data), receivedAtMs: Date.now() })
    socket.onclose = ({ code }) => {
      connection.set('lost')
      if (code === sessionEndedCode) return endSession()
      timer = setTimeout(open, waitMs * (0.5 + Math.random() / 2))
      waitMs = Math.min(waitMs * 2, waitMaxMs)
    }
  }
  open()
  return () => {
    clearTimeout(timer)
    socket.onclose = null
    socket.close()
    latestFrame.set(undefined)
    connection.set('connecting')
  }
}
