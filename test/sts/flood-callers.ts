import { Agent, request } from 'undici'

/*
 * `node test/sts/flood-callers.ts URL CALLERS < FORM`: so many callers ask STS for a key with this form, again and again,
 * each on a connection of its own, in a process of their own: their work is not that of the server. "calling" is printed
 * when each has had its first response. At SIGTERM the counts of all statuses are printed, as JSON.
 */
const callersPerAddress = 100

const [url = '', callers = ''] = process.argv.slice(2)
const form = await new Response(process.stdin as unknown as ReadableStream).text()
const counts: Record<string, number> = {}
let isOver = false
process.once('SIGTERM', () => {
  isOver = true
})

/** Calls until it is told to stop. Resolves after the first response. */
async function call(address: number, ended: () => void): Promise<void> {
  const dispatcher = new Agent({ localAddress: `127.0.1.${address}`, connections: 1 })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const once = async () => {
    const options = { method: 'POST' as const, headers, body: form, dispatcher }
    const status = await request(url, options).then(
      async ({ statusCode, body }) => {
        await body.text()
        return statusCode
      },
      () => 0,
    )
    counts[status] = (counts[status] ?? 0) + 1
  }
  await once()
  const rest = async () => {
    while (!isOver) await once()
    await dispatcher.destroy()
    ended()
  }
  void rest()
}

const { promise: allEnded, resolve } = Promise.withResolvers<void>()
let left = Number(callers)
const ended = () => {
  left -= 1
  if (left === 0) resolve()
}
await Promise.all(Array.from({ length: left }, (_, index) => call(1 + Math.floor(index / callersPerAddress), ended)))
console.log('calling')
await allEnded
console.log(JSON.stringify(counts))
