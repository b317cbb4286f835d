/** The number of shards of due steps. It never changes, because every step's row has its shard. */
export const shards = 64

/** The shard of a channel: the same on every node and in every engine. */
export const shardOf = (channelId: number): number => channelId % shards

/** In SQL: the list of all shards, so that a statement can use an index that has the shard before the time. */
export const everyShard = Array.from({ length: shards }, (_, shard) => shard).join(', ')
