/** Something that is done to the cluster, and when, counted from the start of the load. */
export type Fault = { atMs: number; forMs: number } & (
  | { fault: 'kill'; node: number }
  /** All nodes are stopped and started again, one after the other. `forMs` is the time that is left free for it. */
  | { fault: 'rolling restart' }
  | { fault: 'freeze'; node: number }
  | { fault: 'restart PostgreSQL' | 'crash PostgreSQL' }
  | { fault: 'restart NATS' }
)

/** Nothing ends this node before the rolling restart: its sessions live through everything else. */
export const keptNode = 0
/** Longer than a node counts as alive after it has last said so. */
const frozenMs = 6_000
const postgresAwayMs = 500
const natsAwayMs = 1_500
const rollingRestartMs = 12_000
/** Longer than the others take to go on with what a killed node had in hand, so that each kill is seen by itself. */
const killPauseMs = 5_500
const firstKillMs = 3_000
/** The load goes on for so long after the last kill. */
const afterKillsMs = 4_000
const shortlyAwayMs = 200
const longAwayMs = { least: 5_000, most: 7_000 }
/** From the moment that a killed node is started again to the next that ends one. */
const backMs = 1_500

/**
 * A kill every few seconds, some nodes away for so long that the others must take over and some back at once;
 * PostgreSQL stopped or crashed once, and NATS once; the kept node frozen once until the others have given it up; and a
 * rolling restart, after which the kept node is killed first. A single node is only killed, and comes back at once.
 */
export function planFaults(seconds: number, nodes: number, random: () => number): Fault[] {
  const endMs = seconds * 1_000
  const kills = { fromMs: firstKillMs, toMs: endMs - afterKillsMs }
  if (nodes === 1) return planKills({ ...kills, nodes: [keptNode] }, random)
  const all = Array.from({ length: nodes }, (_, node) => node)
  const restartMs = endMs * 0.55
  const before = {
    ...kills,
    toMs: restartMs - longAwayMs.most - backMs,
    nodes: all.filter((node) => node !== keptNode),
  }
  const after = { ...kills, fromMs: restartMs + rollingRestartMs, nodes: all, first: keptNode }
  const faults: Fault[] = [
    ...planKills(before, random),
    { fault: 'rolling restart', atMs: restartMs, forMs: rollingRestartMs },
    ...planKills(after, random),
    {
      fault: random() < 0.5 ? 'restart PostgreSQL' : 'crash PostgreSQL',
      atMs: endMs * 0.2,
      forMs: postgresAwayMs,
    },
    { fault: 'freeze', node: keptNode, atMs: endMs * 0.35, forMs: frozenMs },
    { fault: 'restart NATS', atMs: endMs * 0.85, forMs: natsAwayMs },
  ]
  return faults.sort((a, b) => a.atMs - b.atMs)
}

interface Kills {
  fromMs: number
  toMs: number
  nodes: number[]
  /** The node that is killed first, if that is not left to chance. */
  first?: number
}

function planKills({ fromMs, toMs, nodes, first }: Kills, random: () => number): Fault[] {
  const kills: Fault[] = []
  for (let atMs = fromMs; atMs < toMs; ) {
    const one = nodes[Math.floor(random() * nodes.length)] as number
    const node = kills.length === 0 ? (first ?? one) : one
    const { least, most } = longAwayMs
    const isShort = nodes.length === 1 || random() < 0.5
    const forMs = isShort ? shortlyAwayMs : least + Math.floor(random() * (most - least))
    kills.push({ fault: 'kill', node, atMs, forMs })
    atMs += Math.max(killPauseMs, forMs + backMs) + Math.floor(random() * 2_000)
  }
  return kills
}
