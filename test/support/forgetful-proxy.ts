import { once } from 'node:events'
import { createServer, request as forward, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'

/**
 * Forwards calls to a server, but closes the connection instead of returning the first response: that call is done, and
 * its response is lost. `calls` are the headers of the received calls, in order.
 */
export async function openForgetfulProxy(target: string): Promise<{ url: string; calls: IncomingHttpHeaders[] }> {
  const calls: IncomingHttpHeaders[] = []
  const server = createServer((request, response) => {
    const isFirst = calls.push(request.headers) === 1
    const { method, url, headers } = request
    // The Host header stays, because it is signed.
    const onward = forward(target + url, { method: method!, headers }, async (answer) => {
      if (!isFirst) return answer.pipe(response.writeHead(answer.statusCode!, answer.headers))
      await once(answer.resume(), 'end')
      return request.socket.destroy()
    })
    request.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, calls }
}
