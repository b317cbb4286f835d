import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createSocketServer, type Server, type Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { createLambdaTarget, type LambdaTargetOptions } from '../../src/processor/lambda-target.ts'
import type { HandOff } from '../../src/processor/target.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import type { SignedRequest } from '../../src/signature/verify-request.ts'
import { functionArn, processorEvent } from './functions.ts'

/** Listens on a free port of this machine, until the test is over. */
export async function listenFor(t: TestContext, server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

export type Answer = (response: ServerResponse, request: SignedRequest) => void

/** Keeps what was asked, and answers each request by the next of the answers; the last of them is for the rest, too. */
export function recorder(...answers: Answer[]) {
  const requests: SignedRequest[] = []
  const listener: RequestListener = async (request, response) => {
    const { method = '', url: target = '', headers } = request
    const recorded = { method, target, headers, body: await buffer(request) }
    const answer = answers[Math.min(requests.length, answers.length - 1)]
    requests.push(recorded)
    answer?.(response, recorded)
  }
  return { requests, listener }
}

/** A Lambda endpoint: real HTTP, and answers of the test's choice. */
export async function openEndpoint(t: TestContext, ...answers: Answer[]) {
  const { requests, listener } = recorder(...answers)
  const server = createServer(listener)
  const port = await listenFor(t, server)
  return { requests, server, endpoint: `http://127.0.0.1:${port}` }
}

/** An endpoint that speaks no HTTP, but does as it is told with each connection. */
export async function openSocket(t: TestContext, connected: (socket: Socket) => void) {
  const server = createSocketServer(connected)
  const port = await listenFor(t, server)
  return { server, host: `127.0.0.1:${port}` }
}

export const status =
  (code: number, headers: Record<string, string> = {}, body = ''): Answer =>
  (response) =>
    response.writeHead(code, headers).end(body)

/** A target for the endpoint. `invoke` adds to the outcome how often the event was said to be handed over. */
export function startLambda(t: TestContext, endpoint: string, options: Partial<LambdaTargetOptions> = {}) {
  const target = createLambdaTarget({
    endpoint,
    functionName: '{name}',
    concurrency: 128,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'an example, not a secret' },
    clock: systemClock,
    ...options,
  })
  t.after(() => target.close())
  const invoke = async (name = 'redact', event = processorEvent('m-1')): Promise<HandOff & { handedOver: number }> => {
    let handedOver = 0
    const [plain = ''] = name.split(':')
    const handOff = await target.invoke(plain, functionArn(name), event, () => {
      handedOver += 1
    })
    return { ...handOff, handedOver }
  }
  return { target, invoke }
}
