import type { Socket } from 'node:net'
import { StringDecoder } from 'node:string_decoder'
import { type ChannelReport, channelProtocol, type RuntimeInvocation, returnedLengthMax } from './bootstrap-terms.ts'

/** A report is shorter. */
const lineLengthMax = 4_096 + returnedLengthMax

const switching = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${channelProtocol}\r\n\r\n`

/**
 * The server's end of a child's channel (`bootstrap-channel.ts`). A child that breaks its rules loses the connection.
 */
export class RuntimeChannel {
  readonly #socket: Socket
  readonly #asked: (report: ChannelReport) => void
  readonly #decoder = new StringDecoder()
  #text = ''
  /** The child has requested an invocation, and has not received it. */
  #isAsking = false

  /** `head` is what came with the request already. */
  constructor(socket: Socket, head: Buffer, asked: (report: ChannelReport) => void) {
    this.#socket = socket
    this.#asked = asked
    socket.on('error', () => {})
    if (head.length > 0) socket.unshift(head)
    socket.write(switching)
    socket.on('data', (bytes: Buffer) => this.#read(this.#decoder.write(bytes)))
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed
  }

  give({ awsRequestId, deadlineMs, functionArn, traceId, body, wantsReturned }: RuntimeInvocation): void {
    this.#isAsking = false
    const invocation = { awsRequestId, deadlineMs, functionArn, traceId, body, wantsReturned }
    this.#socket.write(`${JSON.stringify(invocation)}\n`)
  }

  close(): void {
    this.#socket.destroy()
  }

  #read(text: string): void {
    this.#text += text
    for (let end = this.#text.indexOf('\n'); end !== -1; end = this.#text.indexOf('\n')) {
      const report = parsed(this.#text.slice(0, end))
      this.#text = this.#text.slice(end + 1)
      if (!report || this.#isAsking) {
        this.close()
        return
      }
      this.#isAsking = true
      this.#asked(report)
    }
    if (this.#text.length > lineLengthMax) this.close()
  }
}

/** Undefined for what is no report. */
function parsed(line: string): ChannelReport | undefined {
  try {
    const report: unknown = JSON.parse(line)
    return typeof report === 'object' && report !== null ? report : undefined
  } catch {
    return undefined
  }
}
