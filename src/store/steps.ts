import { everyShard } from './shards.ts'
import type { Reader } from './store.ts'

/** In SQL: somebody must still do something about the step. Indexes have the same words. */
export const stepIsOpen = `state IN ('DISPATCHING', 'AWAITING')`

/**
 * In SQL: what a living node has in hand is that node's to renew, until its deadline ends all that. Whoever is not in
 * `node` has given back what it had, or is the only one on its store.
 */
export const mayBeTaken = (owner: string, now: string): string =>
  `(owner IN ('', ${owner}) OR deadline_at <= ${now} OR owner NOT IN (SELECT node_id FROM node))`

/** Of each shard its earliest, and of these the first: the index answers each, however many steps are open. */
const earliest = `WITH every (shard) AS (VALUES ${everyShard.replaceAll(/\d+/g, '($&)')})
  SELECT min((SELECT due_at FROM flow_step
    WHERE flow_step.shard = every.shard AND ${stepIsOpen} ORDER BY due_at LIMIT 1)) AS due_at FROM every`

/** When the first of the open steps is due, or undefined if none is open. */
export async function readNextDueAt(read: Reader): Promise<number | undefined> {
  const row = await read.get<{ due_at: number | null }>(earliest)
  return row?.due_at ?? undefined
}
