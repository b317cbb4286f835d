/** News of one channel on its way to the sessions, on whichever node they are. The frame is built once, for all. */
export interface Envelope {
  channelArn: string
  /** The event's number in the channel's log; undefined for what makes no row. */
  seq: number | undefined
  /** All members of the channel with `and` besides, or these users whether or not they are members. */
  audience: { to: 'members'; and?: string } | { to: 'users'; users: string[] }
  /** The user who is a member from this event on, if any. */
  joined?: string
  /** With this the channel is gone: nobody is a member any more. */
  closed?: true
  /** The text frame for the sockets, whole. */
  frame: string
}

export type Deliver = (envelopes: readonly Envelope[]) => void

/**
 * Carries news to whoever listens. It hurries and promises nothing: the record is the channel's log.
 * The envelopes of one channel arrive in the order in which they were published.
 */
export interface Bus {
  publish(envelopes: readonly Envelope[]): void
  /** The answer ends the subscription. */
  subscribe(deliver: Deliver): () => void
  close(): Promise<void>
}
