import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { serveParent } from '../system/program.ts'
import { Api, channelPath } from '../wire/calls.ts'
import { MessageReader } from '../wire/messages.ts'

/*
 * The processors of all flows, behind a Lambda Invoke endpoint: it accepts an event with 202 and then calls
 * ChannelFlowCallback. The name of the function says how it behaves:
 *
 *   allow…     accepts at once, and lets the message pass at once
 *   hold…      accepts at once, and never calls back
 *   paced-N…   accepts N events a second, and lets each pass at once
 */

interface ProcessorEvent {
  CallbackId: string
  ChannelMessage: { MessageId: string; ChannelArn: string; Content: string }
}

/** Callbacks so far, by their outcome. */
export interface Verdicts {
  accepted: number
  refused: number
  /** Callbacks of paced functions. */
  pacedAccepted: number
  /** The time of the last one, in milliseconds since the epoch. */
  pacedAt: number
}

/** A backlog without a verdict for so long is empty. */
const idleMsMax = 1_000

const verdicts: Verdicts = { accepted: 0, refused: 0, pacedAccepted: 0, pacedAt: 0 }
let api: Api | undefined
/** When each paced function may accept its next event. */
const nextTurn = new Map<string, number>()

const acceptance = 'HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n'
const target = /^POST \/2015-03-31\/functions\/([\w-]+)\/invocations/

function answer(socket: Socket, startLine: string, body: string): void {
  const [, name = ''] = target.exec(startLine) ?? []
  const accept = () => {
    if (socket.writable) socket.write(acceptance)
    if (!name.startsWith('hold')) void callBack(name, JSON.parse(body) as ProcessorEvent)
  }
  const waitMs = turnOf(name)
  if (waitMs > 0) setTimeout(accept, waitMs)
  else accept()
}

/** How long a paced function takes to accept one more event. */
function turnOf(name: string): number {
  const perSecond = Number(/^paced-(\d+)/.exec(name)?.[1] ?? 0)
  if (perSecond === 0) return 0
  const now = performance.now()
  const turn = Math.max(now, nextTurn.get(name) ?? 0) + 1000 / perSecond
  nextTurn.set(name, turn)
  return turn - now
}

async function callBack(name: string, { CallbackId, ChannelMessage }: ProcessorEvent): Promise<void> {
  const { MessageId, ChannelArn, Content } = ChannelMessage
  const body = { CallbackId, ChannelMessage: { MessageId, Content } }
  const path = channelPath(ChannelArn)
  const query = 'operation=channel-flow-callback'
  const { status } = await api!.call({ method: 'POST', path, query, body }).catch(() => ({ status: 0 }))
  if (status !== 200) {
    verdicts.refused += 1
    return
  }
  verdicts.accepted += 1
  if (!name.startsWith('paced')) return
  verdicts.pacedAccepted += 1
  verdicts.pacedAt = Date.now()
}

const calls = {
  /** The URL of the endpoint. */
  async listen(): Promise<string> {
    const server = createServer({ noDelay: true }, (socket) => {
      const reader = new MessageReader()
      socket.on('error', () => {})
      socket.on('data', (bytes: Buffer) => {
        for (const { startLine, body } of reader.read(bytes)) answer(socket, startLine, body)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  },

  /** The server for callbacks. */
  async serve({ url }: { url: string }): Promise<void> {
    api?.close()
    api = new Api(url)
  },

  /** Resolves after so many seconds, or when paced functions have had no verdict for `idleMsMax`. */
  async awaitVerdicts({ seconds }: { seconds: number }): Promise<void> {
    const began = Date.now()
    const lastMs = () => Math.max(began, verdicts.pacedAt)
    while (Date.now() < began + seconds * 1000 && Date.now() < lastMs() + idleMsMax) await delay(idleMsMax / 4)
  },

  async verdicts(): Promise<Verdicts> {
    return verdicts
  },
}

export type ProcessorCalls = typeof calls

serveParent(calls)
