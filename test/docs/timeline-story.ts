import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import { carillon } from '../support/carillon.ts'
import { processor } from '../support/population.ts'
import { Processors } from '../support/processors.ts'
import { sign } from '../support/smithy-signer.ts'
import { until } from '../support/until.ts'

const script = fileURLToPath(new URL('stepped-server.ts', import.meta.url))
const region = 'us-east-1'
const credentials = { accessKeyId: 'AKIAOPERATOREXAMPLE0', secretAccessKey: 'the-secret-of-this-example' }
/** In the text. The servers begin at the real time, as SDKs correct their clocks by it; the story lasts less than 5 minutes. */
const shownStartMs = Date.UTC(2026, 10, 28, 10)

/** A server that can be killed, with a clock that only moves here. */
class SteppedServer {
  readonly #flags: string[]
  #process!: ChildProcess
  readonly startMs = Date.now()
  #now = this.startMs
  #url = ''
  messaging!: ChimeSDKMessaging
  identity!: ChimeSDKIdentity

  constructor(flags: string[]) {
    this.#flags = flags
  }

  async start(): Promise<void> {
    const key = {
      CARILLON_ACCESS_KEY_ID: credentials.accessKeyId,
      CARILLON_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    }
    const env = { PATH: process.env.PATH, ...key }
    this.#process = fork(script, [String(this.#now), ...this.#flags], { env, execArgv: [] })
    this.#url = await this.#hear((message) => message.endpoint.http)
    const options = { endpoint: this.#url, region, credentials, maxAttempts: 1 }
    this.messaging = new ChimeSDKMessaging(options)
    this.identity = new ChimeSDKIdentity(options)
  }

  async pass(ms: number): Promise<void> {
    this.#now += ms
    this.#process.send(ms)
    await this.#hear(() => undefined)
  }

  // biome-ignore lint/suspicious/noExplicitAny: the messages of stepped-server.ts
  #hear<T>(read: (message: any) => T): Promise<T> {
    const exit = once(this.#process, 'exit').then(() => {
      throw new Error('the server has ended')
    })
    return Promise.race([once(this.#process, 'message').then(([message]) => read(message)), exit])
  }

  /** It comes back after this time. */
  async crash(ms: number): Promise<void> {
    await this.kill()
    this.#now += ms
    await this.start()
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null) return
    const exit = once(this.#process, 'exit')
    this.#process.kill('SIGKILL')
    await exit
  }

  // biome-ignore lint/suspicious/noExplicitAny: any JSON that an operation returns
  async call(method: 'GET' | 'POST', target: string): Promise<any> {
    const { host, origin } = new URL(this.#url)
    const sent = method === 'GET' ? {} : { body: '{}' }
    const call = { method, target, headers: { host }, ...sent }
    const { headers } = await sign(call, { credentials, region, signingDate: new Date(this.#now) })
    const response = await fetch(origin + target, { method, headers, ...sent })
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return text === '' ? undefined : JSON.parse(text)
  }
}

/** What an operator reads of this message: `carillon trace`, with the random ids left out. */
export async function tellTimeline(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-timeline-'))
  const [dataDir, functions] = [join(folder, 'data'), join(folder, 'functions')]
  const processors = await Processors.open(functions)
  const ports = ['--http-port', '0', '--https-port', '0']
  const server = new SteppedServer(['--data-dir', dataDir, '--functions', functions, ...ports])
  try {
    await server.start()
    const messageId = await new Story(server, processors, functions).tell()
    const { stdout, stderr } = await carillon('trace', messageId, '--data-dir', dataDir)
    if (stderr !== '') throw new Error(stderr)
    return stdout
      .trimEnd()
      .replaceAll(messageId, '5f1c0e7a-93d2-4b68-a1f4-2c7e9d30b856')
      .replaceAll(/\d{4}-[-\dT:.]+Z/g, (time) =>
        new Date(Date.parse(time) - server.startMs + shownStartMs).toISOString(),
      )
      .replaceAll(/(?<=app-instance\/|channel-flow\/)[-0-9a-f]{36}/g, '…')
  } finally {
    await server.kill()
    await processors.close()
    await rm(folder, { recursive: true, maxRetries: 10 })
  }
}

/** A message that meets a crash of the server, a duplicate and an edit, which meets a broken processor and a denial. */
class Story {
  readonly #server: SteppedServer
  readonly #processors: Processors
  readonly #functions: string
  /** While this file is there, a processor fails. */
  readonly #broken: string
  #channelArn = ''
  #ann = ''
  #messageId = ''

  constructor(server: SteppedServer, processors: Processors, functions: string) {
    this.#server = server
    this.#processors = processors
    this.#functions = functions
    this.#broken = join(functions, '../broken')
  }

  async tell(): Promise<string> {
    await this.#open()
    await this.#send()
    await this.#edit()
    return this.#messageId
  }

  async #open(): Promise<void> {
    const { identity, messaging } = this.#server
    const source = await readFile(join(this.#functions, 'first.mjs'), 'utf8')
    const failing = `$&\n if (existsSync(${JSON.stringify(this.#broken)})) throw new TypeError('no words')`
    const noSpam = `import { existsSync } from 'node:fs'${source.replace(/handler\(event\) {/, failing)}`
    await writeFile(join(this.#functions, 'no-spam.mjs'), noSpam)
    await writeFile(join(this.#functions, 'be-friendly.mjs'), source)
    const { AppInstanceArn } = await identity.createAppInstance({ Name: 'Example' })
    for (const id of ['ann', 'ben']) {
      await identity.createAppInstanceUser({ AppInstanceArn, AppInstanceUserId: id, Name: id })
    }
    this.#ann = `${AppInstanceArn}/user/ann`
    const channel = { AppInstanceArn, ChimeBearer: this.#ann, ChannelId: 'lobby', Name: 'Lobby' }
    this.#channelArn = (await messaging.createChannel(channel)).ChannelArn!
    const Processors = ['no-spam', 'be-friendly'].map(processor)
    const { ChannelFlowArn } = await messaging.createChannelFlow({ AppInstanceArn, Name: 'Flow', Processors })
    await messaging.associateChannelFlow({ ChannelArn: this.#channelArn, ChannelFlowArn, ChimeBearer: this.#ann })
  }

  async #send(): Promise<void> {
    const server = this.#server
    const release = this.#processors.hold()
    const { MessageId } = await server.messaging.sendChannelMessage({
      ...{ ChannelArn: this.#channelArn, ChimeBearer: this.#ann, Content: 'Read this, you fools' },
      ...{ Type: 'STANDARD', Persistence: 'PERSISTENT' },
    })
    this.#messageId = MessageId!
    const first = await this.#processors.next(MessageId)
    // The hand-off is written a second later.
    await server.pass(1_000)
    await until(async () => (await this.#step(0, 0)).HandedOffAt !== undefined)
    await server.pass(19_000)
    await server.crash(5_000)
    await this.#processors.next(MessageId)
    await server.pass(1_000)
    await until(async () => (await this.#step(0, 0)).Attempts.length === 1)
    await this.#callBack(first)
    const second = await this.#processors.nextAfter(first)
    await this.#callBack(first).catch((error) => {
      if (error.name !== 'BadRequestException') throw error
    })
    await server.pass(250)
    await this.#callBack(second, { Content: 'Read this, my friends' })
    await server.pass(1_000)
    await until(async () => (await this.#step(0, 0)).RejectedCallbacks === 1)
    release()
  }

  async #edit(): Promise<void> {
    const server = this.#server
    await writeFile(this.#broken, '')
    await server.pass(120_000)
    const MessageId = this.#messageId
    await server.messaging.updateChannelMessage({
      ...{ ChannelArn: this.#channelArn, ChimeBearer: this.#ann, MessageId, Content: 'Buy my book' },
    })
    const hasFailed = (times: number) => until(async () => (await this.#step(1, 0)).Attempts.length === times)
    await hasFailed(1)
    await server.pass(60_000)
    await hasFailed(2)
    await rm(this.#broken)
    await server.pass(15_000)
    await server.call('POST', `/carillon/v1/messages/${MessageId}?operation=again`)
    const event = await this.#processors.next(MessageId)
    await server.pass(250)
    const reason = { code: 'ADVERTISING', text: 'Please do not advertise here' }
    await this.#callBack(event, { Metadata: JSON.stringify({ carillon: { reason } }) }, true)
  }

  async #step(run: number, step: number) {
    const { Runs } = await this.#server.call('GET', `/carillon/v1/messages/${this.#messageId}/timeline`)
    return Runs[run].Steps[step]
  }

  async #callBack({ CallbackId, ChannelMessage }: ProcessorEvent, changes: object = {}, DeleteResource = false) {
    const { ChannelArn, MessageId } = ChannelMessage
    const verdict = { ChannelArn, CallbackId, DeleteResource, ChannelMessage: { MessageId, ...changes } }
    await this.#server.messaging.channelFlowCallback(verdict)
  }
}
