import { hash } from 'node:crypto'

/** Into how many parts the due work is cut. A power of two below 256; it never changes, since it is in every step's row. */
const shards = 64

/** The shard of all that belongs to the channel: the same on every node and in every engine. */
export const shardOf = (channelArn: string): number => (hash('sha256', channelArn, 'buffer')[0] as number) % shards

/** In SQL, for an index that begins with the shard: each of them, so that the rest of the index is of use. */
export const everyShard = Array.from({ length: shards }, (_, shard) => shard).join(', ')
