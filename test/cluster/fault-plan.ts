/** Something that is done to the cluster, and when, counted from the start of the load. */
export type Fault = { atMs: number; forMs: number } & (
  | { fault: 'kill'; node: number }
  | { fault: 'freeze'; node: number }
  | { fault: 'restart PostgreSQL' | 'crash PostgreSQL' }
  | { fault: 'restart NATS' }
)

/** Sessions on this node live through everything. */
export const keptNode = 0
/** Longer than a node counts as alive after it has last said so. */
const frozenMs = 6_000
const postgresAwayMs = 500
const natsAwayMs = 1_500
/** Longer than the others take to go on with what a killed node had in hand, so that each kill is seen by itself. */
const killPauseMs = 5_500

/**
 * A kill every few seconds, of the nodes but one, some away for so long that the others must take over and some back at
 * once; PostgreSQL stopped or crashed once, and NATS once; and the kept node frozen once until the others have given it
 * up. A single node is only killed, and comes back at once.
 */
export function planFaults(seconds: number, nodes: number, random: () => number): Fault[] {
  const faults: Fault[] = []
  const endMs = seconds * 1_000
  for (let atMs = 3_000; atMs < endMs - 4_000; ) {
    const node = nodes === 1 ? 0 : 1 + Math.floor(random() * (nodes - 1))
    const forMs = nodes === 1 || random() < 0.5 ? 200 : 5_000 + Math.floor(random() * 2_000)
    faults.push({ fault: 'kill', node, atMs, forMs })
    atMs += Math.max(killPauseMs, forMs + 1_500) + Math.floor(random() * 2_000)
  }
  if (nodes > 1) {
    faults.push(
      {
        fault: random() < 0.5 ? 'restart PostgreSQL' : 'crash PostgreSQL',
        atMs: endMs * 0.25,
        forMs: postgresAwayMs,
      },
      { fault: 'freeze', node: keptNode, atMs: endMs * 0.5, forMs: frozenMs },
      { fault: 'restart NATS', atMs: endMs * 0.8, forMs: natsAwayMs },
    )
  }
  return faults.sort((a, b) => a.atMs - b.atMs)
}
