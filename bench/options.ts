import { parseArgs } from 'node:util'
import { type Peer, peers } from './peers/peer.ts'

/** The options of a run. */
export interface Options {
  /** Names of parts; empty for the table of options only. */
  parts: string[]
  /** How long one measurement takes. */
  seconds: number
  rounds: number
  /** A version in git to measure beside the working tree. */
  against: string | undefined
  /** Measures only the flows whose setup has this text in its name. */
  only: string | undefined
  /** Measured beside the flows. */
  peers: string[]
  profile: boolean
  /** Small sizes and short measurements, to see that everything works. Its figures mean nothing. */
  quick: boolean
  /** A folder on a disk, where data are written. */
  data: string | undefined
  /** Keeps the results as those that later runs are compared with. */
  commit: boolean
}

export const usage = `npm run bench [-- PART… | all] [-- OPTION…]

  --seconds N         how long one measurement takes (3; 0.5 with --quick)
  --rounds N          how often each is repeated, in turn with the others (3; 1 with --quick)
  --against REF       measures a version in git beside this one
  --only TEXT         measures only the flows with this in their name, as "1 processor"
  --peer NAME         measures bullmq or restate beside the flows
  --profile           writes CPU profiles of the servers, and says what a message costs
  --quick             small sizes, short measurements: shows that everything works, not how fast
  --data FOLDER       where data are written; on a disk, not in memory
  --commit            keeps the results in bench/last-run.json`

/** Throws an Error that describes the problem of the arguments. */
export function readOptions(args: string[], partNames: readonly string[]): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      against: { type: 'string' },
      only: { type: 'string' },
      peer: { type: 'string', multiple: true, default: [] },
      profile: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      data: { type: 'string' },
      commit: { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.find((name) => name !== 'all' && !partNames.includes(name))
  if (values.only !== undefined && values.commit)
    throw new Error('--commit keeps whole runs, and --only is a part of one')
  if (unknown !== undefined) throw new Error(`there is no part ${unknown}: it is all, ${partNames.join(', ')}`)
  return {
    parts: positionals.length === 0 || positionals.includes('all') ? [...partNames] : positionals,
    seconds: positive('--seconds', values.seconds, values.quick ? 0.5 : 3),
    rounds: positive('--rounds', values.rounds, values.quick ? 1 : 3),
    against: values.against,
    only: values.only,
    peers: values.peer.map((name) => peerOf(name).name),
    profile: values.profile,
    quick: values.quick,
    data: values.data,
    commit: values.commit,
  }
}

function peerOf(name: string): Peer {
  const peer = peers.find((candidate) => candidate.name.toLowerCase() === name)
  if (peer) return peer
  throw new Error(`there is no peer ${name}: it is ${peers.map((one) => one.name.toLowerCase()).join(' or ')}`)
}

function positive(name: string, text: string | undefined, preset: number): number {
  if (text === undefined) return preset
  const number = Number(text)
  if (number > 0) return number
  throw new Error(`${name} must be a number above 0, not ${JSON.stringify(text)}`)
}
