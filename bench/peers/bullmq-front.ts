import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Front, type Held } from '../programs/front.ts'
import { serveParent } from '../system/program.ts'
import type { BackedInput } from './peer.ts'

/*
 * A message is a job: added before the response to the send, active from its Invoke to its callback, and completed
 * before the response to the callback.
 */

/** The part of bullmq that is used here; the package is installed for the run only. */
interface BullMq {
  Queue: new (name: string, options: object) => { add(name: string, data: Held, options: object): Promise<unknown> }
  Worker: new (
    name: string,
    work: (job: { id: string; data: Held }) => Promise<void>,
    options: object,
  ) => { on(event: 'completed', listener: (job: { id: string }) => void): void }
}

/** Concurrent jobs: more than there ever are in flight. */
const concurrency = 1000

/** A job between its Invoke and its end. */
interface Work {
  verdict: PromiseWithResolvers<void>
  completed: PromiseWithResolvers<void>
}

const calls = {
  async start({ packages, port, processorUrl }: BackedInput): Promise<string> {
    const { Queue, Worker } = createRequire(join(packages, 'package.json'))('bullmq') as BullMq
    const connection = { host: '127.0.0.1', port }
    const queue = new Queue('flow', { connection })
    const works = new Map<string, Work>()
    const front = new Front(processorUrl, {
      async accept(held) {
        await queue.add('flow', held, { removeOnComplete: true })
      },
      async decide(_held, callbackId) {
        const work = works.get(callbackId)
        work?.verdict.resolve()
        await work?.completed.promise
      },
    })
    const work = async ({ id, data }: { id: string; data: Held }) => {
      const work = { verdict: Promise.withResolvers<void>(), completed: Promise.withResolvers<void>() }
      works.set(id, work)
      await front.dispatch(data, id)
      await work.verdict.promise
    }
    const worker = new Worker('flow', work, { connection, concurrency })
    worker.on('completed', ({ id }) => {
      works.get(id)?.completed.resolve()
      works.delete(id)
    })
    return front.listen()
  },
}

serveParent(calls)
