/** A channel, and which one of those that have had its ARN: a channel that is created again has another number. */
export interface ChannelRef {
  channelId: number
  channelArn: string
}

/** An event of one channel for sessions on all nodes. The frame is built once, for all of them. */
export interface Envelope extends ChannelRef {
  /** The event's number in the channel log; undefined for an event without a row. */
  seq: number | undefined
  /** All members of the channel, or those of them that are listed. */
  audience: { to: 'members' } | { to: 'users'; users: string[] }
  /** These users are members from this event on. They receive it. */
  joins?: readonly string[]
  /** This user receives the event as a member, and no later one, unless it joins again. */
  leaves?: string
  /** The channel is deleted with this event: all memberships end. */
  closes?: true
  /**
   * A newer node has written an event of a kind that this node does not know. There is nothing to deliver, and the
   * members may have changed.
   */
  isUnknown?: true
  /** The whole text frame for the sockets. */
  frame: string
}

/** A subscriber of the bus: one hub on each node. Nothing here may throw. */
export interface Listener {
  /** Events of the channels that it subscribes to, and of all channels the events that were published on this node. */
  deliver(envelopes: readonly Envelope[]): void
  /**
   * A subscribed user is a member of the channel from this number on. The event itself is published with the channel's.
   */
  joined(userArn: string, channel: ChannelRef, seq: number): void
  /** The channel log has reached this number at least, without the event itself. */
  reached(channel: ChannelRef, seq: number): void
  /** This user or its memberships have changed, and no event that this node can read says how: the store does. */
  changed(userArn: string): void
  /** Events of any channel may have been lost: the log has them. */
  catchUp(): void
}

/**
 * The channels and users that one listener subscribes to. The returned promise resolves once the subscription is
 * active, so that a later read of the store and the published events together miss nothing; undefined if it was active
 * before. While the bus is away, it resolves without waiting: the listener catches up when the bus is back. The promise
 * never rejects.
 */
export interface Subscription {
  addChannel(channelId: number): Promise<void> | undefined
  removeChannel(channelId: number): void
  addUser(userArn: string): Promise<void> | undefined
  removeUser(userArn: string): void
  /** Ends all subscriptions. */
  close(): void
}

/**
 * Carries events to the listeners, best effort: the record is the channel log, and a listener is notified when it
 * should read the log. The envelopes of one channel that are published on one node arrive in that order; those of
 * several nodes may overtake each other.
 */
export interface Bus {
  /** Never throws and never waits, whatever the state of the connection. */
  publish(envelopes: readonly Envelope[]): void
  /** Makes the listeners that have an interest in this user compare it with the store. */
  announceChange(userArn: string): void
  /** Makes every listener on every node catch up with the log. */
  announceCatchUp(): void
  listen(listener: Listener): Subscription
  /** Whether the other nodes receive events that are published now. */
  readonly connected: boolean
  /** When this resolves, all published events were sent. */
  close(): Promise<void>
}
