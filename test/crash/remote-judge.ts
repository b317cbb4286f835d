import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import type { CrashingServer } from './crashing-server.ts'

/** What a callback may be answered when its event came twice. */
const answeredBefore = ['BadRequestException', 'ForbiddenException', 'ConflictException']

/**
 * A Lambda Invoke endpoint with one function, `remote`, which changes RAW into OK. As Lambda does with an asynchronous
 * event, it answers 202 at once and then tries until the function has done its work.
 */
export class RemoteJudge {
  readonly endpoint: string
  readonly close: () => void
  calls = 0

  private constructor(port: number, close: () => void) {
    this.endpoint = `http://127.0.0.1:${port}`
    this.close = close
  }

  /** `serverOf` is asked once there is an event. */
  static async open(serverOf: () => CrashingServer): Promise<RemoteJudge> {
    const http = createServer(async (request, response) => {
      if (!request.url?.includes('/functions/remote/')) {
        const headers = { 'x-amzn-errortype': 'ResourceNotFoundException' }
        response.writeHead(404, headers).end('{"Type":"User","Message":"Function not found"}')
        return
      }
      const event = (await json(request)) as ProcessorEvent
      response.writeHead(202).end()
      judge.calls += 1
      await callBack(serverOf(), event, () => !http.listening)
    })
    await once(http.listen(0, '127.0.0.1'), 'listening')
    const close = () => {
      http.close()
      http.closeAllConnections()
    }
    const judge = new RemoteJudge((http.address() as AddressInfo).port, close)
    return judge
  }
}

async function callBack(server: CrashingServer, event: ProcessorEvent, closed: () => boolean): Promise<void> {
  const { CallbackId, ChannelMessage } = event
  const { ChannelArn, MessageId, Content } = ChannelMessage
  while (!closed()) {
    await server.up
    const { endpoint, credentials } = server
    const client = new ChimeSDKMessaging({ endpoint: endpoint.http, region: endpoint.region, credentials })
    const changed = { MessageId, Content: Content?.replace('RAW', 'OK') }
    const done = await client.channelFlowCallback({ ChannelArn, CallbackId, ChannelMessage: changed }).then(
      () => true,
      (error: Error) => answeredBefore.includes(error.name),
    )
    if (done) return
    await setTimeout(20)
  }
}
