import { createRequire } from 'node:module'
import { join } from 'node:path'
import { Front, type Held } from '../programs/front.ts'
import { serveParent } from '../system/program.ts'
import { HttpClient } from '../wire/http-client.ts'
import { freePort } from './background.ts'
import type { BackedInput } from './peer.ts'

/*
 * A message is an invocation: accepted before the response to the send; its handler invokes the processor and waits for
 * an awakeable, which the callback resolves; the handler ends before the response to the callback.
 */

interface Context {
  awakeable(): { id: string; promise: Promise<unknown> }
  run(name: string, action: () => Promise<void>): Promise<void>
}

/** The part of the SDK that is used here; the package is installed for the run only. */
interface Restate {
  service(definition: object): object
  serve(options: { services: object[]; port: number }): Promise<number>
}

const calls = {
  async start({ packages, port, adminPort, processorUrl }: BackedInput): Promise<string> {
    const restate = createRequire(join(packages, 'package.json'))('@restatedev/restate-sdk') as Restate
    const ingress = new HttpClient(`http://127.0.0.1:${port}`)
    const ended = new Map<string, PromiseWithResolvers<void>>()
    const front = new Front(processorUrl, {
      accept: (held) => post(ingress, '/flow/run/send', held, 202),
      async decide(_held, callbackId) {
        const end = Promise.withResolvers<void>()
        ended.set(callbackId, end)
        await post(ingress, `/restate/awakeables/${callbackId}/resolve`, {}, 202)
        await end.promise
      },
    })
    const run = async (context: Context, held: Held) => {
      const { id, promise } = context.awakeable()
      await context.run('invoke', () => front.dispatch(held, id))
      await promise
      ended.get(id)?.resolve()
      ended.delete(id)
    }
    const flow = restate.service({ name: 'flow', handlers: { run } })
    const servicePort = await freePort()
    await restate.serve({ services: [flow], port: servicePort })
    const admin = new HttpClient(`http://127.0.0.1:${adminPort}`)
    await post(admin, '/deployments', { uri: `http://127.0.0.1:${servicePort}` }, 201)
    return front.listen()
  },
}

async function post(client: HttpClient, path: string, body: object, expected: number): Promise<void> {
  const text = JSON.stringify(body)
  const headers = `host: ${client.host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}`
  const { status, body: answer } = await client.exchange(`POST ${path} HTTP/1.1\r\n${headers}\r\n\r\n${text}`)
  if (status !== expected) throw new Error(`POST ${path}: ${status} ${answer}`)
}

serveParent(calls)
