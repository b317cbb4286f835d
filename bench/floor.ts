import { Front, type Keeper } from './programs/front.ts'
import { GroupCommitFile } from './programs/group-commit-file.ts'
import { serveParent } from './system/program.ts'

/*
 * The floor: what one flow costs when nothing is done but what cannot be left out. node:http, two signatures verified and
 * one made, two group commits of 2 KB each to a file with fdatasync. It runs beside Carillon in every round, so that the
 * machine and its noise cancel out.
 */

const recordBytes = 2048

const calls = {
  /** The URL of the floor. */
  async start({ file: path, processorUrl }: { file: string; processorUrl: string }): Promise<string> {
    const file = await GroupCommitFile.open(path)
    const record = (held: object) => {
      const bytes = Buffer.alloc(recordBytes)
      bytes.write(JSON.stringify(held))
      return bytes
    }
    const keeper: Keeper = {
      async accept(held) {
        await file.write(record(held))
        void front.dispatch(held)
      },
      decide: (held) => file.write(record(held)),
    }
    const front = new Front(processorUrl, keeper)
    return front.listen()
  },
}

export type FloorCalls = typeof calls

serveParent(calls)
