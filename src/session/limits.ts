/** The limits of a server's sessions. */
export interface SessionLimits {
  /** Open sockets of this process. One more gets HTTP 503. */
  sessionsMax: number
  /** One more closes the user's oldest. AWS's quotas: "concurrent WebSocket connections per AppInstanceUser". */
  sessionsPerUserMax: number
  /** From the upgrade to SESSION_ESTABLISHED. */
  openMsMax: number
  /** Maximum of buffered bytes before a reader counts as slow. */
  bufferedBytesMax: number
  /** Maximum of one inbound message. Clients have nothing to send. */
  inboundBytesMax: number
  pingEveryMs: number
  /** After so many pings without a pong the peer counts as dead. */
  missedPongsMax: number
  /** Time limit for a peer to respond to a close frame. */
  closeMsMax: number
  /** The same, when the server stops. */
  shutdownMsMax: number
}

export const sessionLimits: SessionLimits = {
  sessionsMax: 50_000,
  sessionsPerUserMax: 10,
  openMsMax: 10_000,
  bufferedBytesMax: 4 * 1024 * 1024,
  inboundBytesMax: 4096,
  pingEveryMs: 30_000,
  missedPongsMax: 2,
  closeMsMax: 5_000,
  shutdownMsMax: 1_000,
}
