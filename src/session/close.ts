import type { WebSocket } from 'ws'

/**
 * Codes of the close frame. amazon-chime-sdk-js reconnects by itself after 1011 to 1014, and never after 4002, 4003
 * and 4401 (its DefaultMessagingSession, `canReconnect`).
 */
export const closeCode = {
  /** The temporary key of the session has ended. */
  goingAway: 1001,
  messageTooBig: 1009,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
  replaced: 4002,
  forbidden: 4003,
  unauthorized: 4401,
} as const

/** RFC 6455 leaves so many of a control frame's 125 bytes to the reason. */
const reasonBytesMax = 123

/** Starts the closing handshake. The app receives the reason: it describes the problem. */
export function closeWith(webSocket: WebSocket, code: number, reason: string): void {
  const bytes = Buffer.alloc(reasonBytesMax)
  // `write` stops before a character that does not fit. Half of one would make the client fail the connection.
  webSocket.close(code, bytes.subarray(0, bytes.write(reason)))
}
