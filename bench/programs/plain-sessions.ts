import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { WebSocketServer } from 'ws'
import { createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'
import { serveParent } from '../system/program.ts'

/*
 * The reference for Carillon's sessions: connections of `ws`, used as in its documentation. A POST is forwarded to all
 * of them, each by its own `send`.
 */

const webSockets = new WebSocketServer({ noServer: true })
webSockets.on('connection', (webSocket) => webSocket.send('{"Headers":{}}'))

const broadcast: RequestListener = async (request, response) => {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const { Content } = JSON.parse(Buffer.concat(chunks).toString()) as { Content: string }
  const MessageId = randomUUID()
  const frame = Buffer.from(frameOf(MessageId, Content))
  for (const webSocket of webSockets.clients) webSocket.send(frame, { binary: false })
  const text = JSON.stringify({ MessageId })
  response.writeHead(201, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** As long as Carillon's. */
function frameOf(MessageId: string, Content: string): string {
  const instance = `arn:aws:chime:us-east-1:000000000000:app-instance/${randomUUID()}`
  const now = new Date().toISOString()
  const message = {
    ChannelArn: `${instance}/channel/lobby`,
    MessageId,
    Content,
    Type: 'STANDARD',
    CreatedTimestamp: now,
    LastUpdatedTimestamp: now,
    Sender: { Arn: `${instance}/user/sender`, Name: 'sender' },
    Redacted: false,
    Persistence: 'PERSISTENT',
    Status: { Value: 'SENT' },
  }
  const Headers = { 'x-amz-chime-event-type': 'CREATE_CHANNEL_MESSAGE', 'x-amz-chime-message-type': 'STANDARD' }
  return JSON.stringify({ Headers, Payload: JSON.stringify(message) })
}

const calls = {
  /** The URL, and the authority's certificate with TLS. */
  async listen({ tls }: { tls: boolean }): Promise<{ url: string; ca?: string }> {
    const authority = tls ? await createAuthority(Date.now()) : undefined
    const server = authority ? await tlsServer(authority) : createServer(broadcast)
    server.on('upgrade', (request, stream, head) => {
      webSockets.handleUpgrade(request, stream, head, (webSocket) => webSockets.emit('connection', webSocket, request))
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
    return { url, ...(authority && { ca: authority.certificatePem }) }
  },

  async collectGarbage(): Promise<void> {
    for (const _ of [1, 2]) globalThis.gc?.()
  },
}

async function tlsServer(authority: Awaited<ReturnType<typeof createAuthority>>) {
  const { certificatePem: cert, privateKeyPem: key } = await issueCertificate(authority, ['localhost'], Date.now())
  return createTlsServer({ cert, key }, broadcast)
}

export type PlainSessionsCalls = typeof calls

serveParent(calls)
