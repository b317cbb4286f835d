/** A channel, and which one of those that have had its ARN: a channel that is created again has another number. */
export interface ChannelRef {
  channelId: number
  channelArn: string
}

/** News of one channel on its way to the sessions, on whichever node they are. The frame is built once, for all. */
export interface Envelope extends ChannelRef {
  /** The event's number in the channel's log; undefined for what makes no row. */
  seq: number | undefined
  /** All members of the channel, or those of them that are listed. */
  audience: { to: 'members' } | { to: 'users'; users: string[] }
  /** These users are members from this event on. They receive it. */
  joins?: readonly string[]
  /** This user receives the event as a member, and no later one, unless it joins again. */
  leaves?: string
  /** With this the channel is gone: nobody is a member any more. */
  closes?: true
  /**
   * A newer node has written an event of a kind that this node does not know. There is nothing to deliver, and the members
   * may have changed.
   */
  isUnknown?: true
  /** The text frame for the sockets, whole. */
  frame: string
}

/** Who listens to the bus: one hub on each node. Nothing here may throw. */
export interface Listener {
  /** Of the channels it is interested in, and of all channels what was published on this node. */
  deliver(envelopes: readonly Envelope[]): void
  /** A user of interest is a member of the channel from this number on. The event itself travels with the channel's. */
  joined(userArn: string, channel: ChannelRef, seq: number): void
  /** The channel's log has reached this number at least, but the event did not come along. */
  reached(channel: ChannelRef, seq: number): void
  /** This user or its memberships have changed, and no event that this node can read says how: the store does. */
  changed(userArn: string): void
  /** Any news of any channel may have been lost: the log has them. */
  catchUp(): void
}

/**
 * What one listener wants to hear of. What is added is a promise that resolves once the interest is in force, so that a
 * later read of the store and the news together miss nothing; undefined where it was in force all along. While the bus
 * is away nothing is waited for: the listener catches up when it is back. The promise never rejects.
 */
export interface Subscription {
  addChannel(channelId: number): Promise<void> | undefined
  removeChannel(channelId: number): void
  addUser(userArn: string): Promise<void> | undefined
  removeUser(userArn: string): void
  /** Nothing is heard from now on. */
  close(): void
}

/**
 * Carries news to whoever listens. It hurries and promises nothing: the record is the channel's log, and a listener is
 * told when it should look there. The envelopes of one channel that are published on one node arrive in that order;
 * those of several nodes may cross.
 */
export interface Bus {
  /** Never throws and never waits, whatever becomes of the connection. */
  publish(envelopes: readonly Envelope[]): void
  /** Makes the listeners that have an interest in this user compare it with the store. */
  announceChange(userArn: string): void
  /** Makes every listener on every node catch up with the log. */
  announceCatchUp(): void
  listen(listener: Listener): Subscription
  /** Whether what is published now goes out to the other nodes. */
  readonly connected: boolean
  /** What was published is on its way when this resolves. */
  close(): Promise<void>
}
