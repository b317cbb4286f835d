import { serveParent } from '../system/program.ts'
import { FlowLoad, type FlowResult, type Traffic } from './flow-load.ts'
import { IdleSessions, type OpenInput } from './idle-sessions.ts'
import { type ListInput, ListLoad, type ListResult } from './list-load.ts'

/*
 * The clients: they send messages and wait until a session receives them, list messages, or only hold sessions.
 */

let flows: FlowLoad | undefined
const sessions = new IdleSessions()

const calls = {
  /** Opens the senders' sessions. */
  async openFlows(traffic: Traffic): Promise<void> {
    flows?.close()
    flows = await FlowLoad.open(traffic)
  },

  /** Sends for so long, and resolves when all flows have ended. */
  async runFlows({ inFlight, seconds }: { inFlight: number; seconds: number }): Promise<FlowResult> {
    return flows!.run(inFlight, seconds)
  },

  /** Opens more sessions that only receive; the output says how long that took. */
  async openSessions(input: OpenInput): Promise<{ seconds: number }> {
    return sessions.open(input)
  },

  /** Counts text frames from here. */
  async forgetFrames(): Promise<void> {
    sessions.forget()
  },

  /** Resolves when all sessions together have received so many text frames. */
  async receivedFrames({ frames }: { frames: number }): Promise<void> {
    await sessions.received(frames)
  },

  async runLists(input: ListInput): Promise<ListResult> {
    return new ListLoad(input).run()
  },
}

export type LoadCalls = typeof calls

serveParent(calls)
