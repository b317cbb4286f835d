/** Into how many parts the due work is cut. It never changes, since every step's row has its part. */
export const shards = 64

/** The shard of all that belongs to the channel: the same on every node and in every engine. */
export const shardOf = (channelId: number): number => channelId % shards

/** In SQL, for an index that has the shard before the time: each of them, so that the rest of the index is of use. */
export const everyShard = Array.from({ length: shards }, (_, shard) => shard).join(', ')
