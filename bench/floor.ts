import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { Front, type Keeper } from './programs/front.ts'
import { GroupCommitFile } from './programs/group-commit-file.ts'
import { serveParent } from './system/program.ts'

/*
 * The floor: the cost of the unavoidable work of one flow. node:http, two signatures verified and one made, two group
 * commits of 2 KB each to a file with fdatasync. It runs beside Carillon in every round, so that the machine and its
 * noise cancel out.
 */

const recordBytes = 2048

/** The options of every front. */
export interface FrontInput {
  /** For its data. */
  folder: string
  processorUrl: string
}

const calls = {
  /** The URL. */
  async start({ folder, processorUrl }: FrontInput): Promise<string> {
    const file = await GroupCommitFile.open(join(folder, 'commits'))
    const record = (held: object) => {
      const bytes = Buffer.alloc(recordBytes)
      bytes.write(JSON.stringify(held))
      return bytes
    }
    const keeper: Keeper = {
      async accept(held) {
        await file.write(record(held))
        void front.dispatch(held, randomUUID())
      },
      decide: (held) => file.write(record(held)),
    }
    const front = new Front(processorUrl, keeper)
    return front.listen()
  },
}

/** Every front serves these: the floor and the peers. */
export type FrontCalls = typeof calls

serveParent(calls)
