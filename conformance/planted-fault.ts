import { once } from 'node:events'
import { createServer, request as forward, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/*
 * A server with a fault, to show that the run fails when it should: a proxy that changes some responses. The Host header
 * stays as it is, because it is signed.
 */

interface Call {
  target: URL
  headers: Record<string, string>
  body: string
}

type Fault = () => (call: Call) => Pick<Call, 'headers' | 'body'>

/** How often a first page is repeated: a program that follows each NextToken must end. */
const repeatsMax = 3

export const faults: Record<string, Fault> = {
  /** The response to a callback has another CallbackId. */
  callback:
    () =>
    ({ target, headers, body }) => ({
      headers,
      body:
        target.searchParams.get('operation') === 'channel-flow-callback'
          ? body.replace(/("CallbackId":")[^"]*/, '$1another')
          : body,
    }),
  /** An error has another class. */
  error:
    () =>
    ({ headers, body }) => ({
      headers: {
        ...headers,
        ...(headers['x-amzn-errortype'] === 'ConflictException' && { 'x-amzn-errortype': 'ConflictedException' }),
      },
      body: body.replace('"Code":"Conflict"', '"Code":"Conflicted"'),
    }),
  /** A NextToken is ignored: the first page comes again. */
  token() {
    const firstPages = new Map<string, string>()
    let repeats = 0
    return ({ target, headers, body }) => {
      if (!target.searchParams.has('next-token')) {
        firstPages.set(target.pathname, body)
        return { headers, body }
      }
      const first = firstPages.get(target.pathname) ?? body
      repeats++
      return { headers, body: repeats % repeatsMax === 0 ? first.replace(/,?"NextToken":"[^"]*"/, '') : first }
    }
  },
}

/** Puts the fault before the server. */
export async function plantFault(name: string, endpoint: string): Promise<{ url: string; close(): void }> {
  const fault = faults[name]
  if (!fault) throw new Error(`there is no fault ${name}: the faults are ${Object.keys(faults).join(', ')}`)
  const change = fault()
  const server = createServer((request, response) => {
    const { method, url = '', headers } = request
    const onward = forward(endpoint + url, { method: method!, headers }, async (answer: IncomingMessage) => {
      const received = Object.entries(answer.headers).map(([name, value]) => [name, String(value)])
      const call = { target: new URL(url, endpoint), headers: Object.fromEntries(received), body: await text(answer) }
      const changed = change(call)
      const { 'content-length': _, 'transfer-encoding': __, ...others } = changed.headers
      response.writeHead(answer.statusCode!, others)
      response.end(changed.body)
    })
    onward.on('error', () => request.destroy())
    request.pipe(onward)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close }
}
