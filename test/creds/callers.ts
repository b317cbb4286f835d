/*
 * Many callers of /creds, in a process of their own: `node callers.ts PORT ORIGIN COUNT`. Half of them sign in once a
 * second; the others send their bodies a byte at a time. Prints `ready` when each has called once, and at the end of its
 * standard input the statuses of the responses, 0 for none.
 */
import { Agent, request } from 'node:http'
import { connect } from 'node:net'

const [port, origin = '', count] = process.argv.slice(2)
const callsEveryMs = 1_000
const byteEveryMs = 200
/** Fewer from an address than the server admits. */
const perAddress = 100

const statuses: Record<number, number> = {}
let waiting = Number(count)
const note = (status: number) => {
  statuses[status] = (statuses[status] ?? 0) + 1
}
const called = () => {
  waiting -= 1
  if (waiting === 0) console.log('ready')
}

function signIn(localAddress: string, then: () => void): void {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, localAddress })
  const call = (done: () => void) => {
    const headers = { origin, authorization: 'Bearer ann-token' }
    request({ host: '127.0.0.1', port, method: 'POST', path: '/creds', headers, agent }, (response) => {
      note(response.statusCode ?? 0)
      response.resume().on('end', done)
    })
      .on('error', () => {
        note(0)
        done()
      })
      .end()
  }
  const again = () => void setTimeout(() => call(again), callsEveryMs)
  call(() => {
    then()
    again()
  })
}

function drip(localAddress: string, then: () => void): void {
  const socket = connect({ host: '127.0.0.1', port: Number(port), localAddress })
  const headers = [`host: 127.0.0.1:${port}`, `origin: ${origin}`, 'authorization: Bearer ann-token']
  socket.write(`POST /creds HTTP/1.1\r\n${headers.join('\r\n')}\r\ncontent-length: 10000\r\n\r\n`, then)
  const dripping = setInterval(() => socket.write('x'), byteEveryMs)
  let status = 0
  socket.on('data', (chunk) => {
    status ||= Number(/^HTTP\/1\.1 (\d+) /.exec(chunk.toString('latin1'))?.[1] ?? 0)
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    clearInterval(dripping)
    note(status)
    setTimeout(() => drip(localAddress, () => {}), callsEveryMs)
  })
}

for (let index = 0; index < Number(count); index += 1) {
  const localAddress = `127.0.0.${2 + Math.floor(index / perAddress)}`
  if (index % 2 === 0) signIn(localAddress, called)
  else drip(localAddress, called)
}
process.stdin.resume().on('end', () => {
  console.log(JSON.stringify(statuses))
  process.exit()
})
