import { readFileSync } from 'node:fs'
import { serveParent } from '../system/program.ts'
import { FlowLoad, type FlowResult, type Traffic } from './flow-load.ts'
import { IdleSessions, type OpenInput } from './idle-sessions.ts'
import { type ListInput, ListLoad, type ListResult } from './list-load.ts'

/*
 * The clients: they send messages and wait until a session is told that they went out, list messages, or only hold
 * sessions.
 */

let flows: FlowLoad | undefined
let sessions: IdleSessions | undefined

const calls = {
  /** Opens the senders' sessions. */
  async openFlows(traffic: Traffic): Promise<void> {
    flows = await FlowLoad.open(traffic)
  },

  /** Sends for so long, and resolves when all that was sent has ended. */
  async runFlows({ inFlight, seconds }: { inFlight: number; seconds: number }): Promise<FlowResult> {
    return flows!.run(inFlight, seconds)
  },

  /** Opens more sessions; the output says how long that took. */
  async openSessions({ caFile, ...input }: OpenInput & { caFile?: string | undefined }): Promise<{ seconds: number }> {
    sessions ??= new IdleSessions(caFile === undefined ? undefined : readFileSync(caFile, 'utf8'))
    return sessions.open(input)
  },

  /** Text frames that all sessions together have received. */
  async receivedFrames(): Promise<number> {
    return sessions!.frames
  },

  async runLists(input: ListInput): Promise<ListResult> {
    return new ListLoad(input).run()
  },
}

export type LoadCalls = typeof calls

serveParent(calls)
