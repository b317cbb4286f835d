/** What a server puts up with from its sessions. */
export interface SessionLimits {
  /** Open sockets of this process. One more is answered with HTTP 503. */
  sessionsMax: number
  /** One more closes the user's oldest. AWS's quotas: "concurrent WebSocket connections per AppInstanceUser". */
  sessionsPerUserMax: number
  /** From the upgrade to SESSION_ESTABLISHED. */
  openMsMax: number
  /** What may wait for a reader before the reader is called slow. */
  bufferedBytesMax: number
  /** Of one inbound message. Clients have nothing to say. */
  inboundBytesMax: number
  pingEveryMs: number
  /** After this many pings without an answer the peer is taken for dead. */
  missedPongsMax: number
  /** How long a peer may take to answer a close frame. */
  closeMsMax: number
  /** The same, when the server goes down. */
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
