import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { Agent, get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { SessionClient } from '../session/session-client.ts'
import { presign } from '../support/smithy-signer.ts'

export const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const credentials = { accessKeyId: 'AKIACARILLON0000TEST', secretAccessKey: 'a-secret-of-a-test-alone' }
const region = 'us-east-1'

/** Denies every message: what it denies must never be seen, whatever the server runs short of. */
const denyAll = `
import { ChimeSDKMessagingClient, ChannelFlowCallbackCommand } from '@aws-sdk/client-chime-sdk-messaging'
const client = new ChimeSDKMessagingClient()
export const handler = ({ CallbackId, ChannelMessage: { ChannelArn, MessageId } }) =>
  client.send(new ChannelFlowCallbackCommand({ CallbackId, ChannelArn, DeleteResource: true, ChannelMessage: { MessageId } }))
`

/** What a test finds out about a server that runs short of something. */
export interface Talk {
  channelArn: string
  sender: string
  /** What the other member of the channel is told. */
  listener: SessionClient
  own: SessionClient
}

interface Options {
  /** The words before the command, such as those of `setpriv`; the server then runs as the user `uid`. */
  as?: string[]
  uid?: number
  flags?: string[]
}

/**
 * A whole `carillon serve` whose limits are set from outside while it runs, with connections that were open before: under
 * the shortage nothing new can be opened.
 */
export class ShortageStage {
  readonly pid: number
  readonly messaging: ChimeSDKMessaging
  readonly identity: ChimeSDKIdentity
  readonly #as: string[]
  readonly #endpoint: URL
  readonly #admin: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })

  private constructor(pid: number, as: string[], http: string, admin: string) {
    this.pid = pid
    this.#as = as
    this.#endpoint = new URL(http)
    this.#admin = admin
    const requestHandler = { httpAgent: { keepAlive: true, maxSockets: 1 } }
    const options = { endpoint: http, region, credentials, maxAttempts: 1, requestHandler }
    this.messaging = new ChimeSDKMessaging(options)
    this.identity = new ChimeSDKIdentity(options)
  }

  static async start(t: TestContext, { as = [], uid, flags: more = [] }: Options = {}): Promise<ShortageStage> {
    const folder = await mkdtemp(join(tmpdir(), 'carillon-shortage-'))
    t.after(() => rm(folder, { recursive: true, force: true }))
    await mkdir(join(folder, 'functions'))
    await writeFile(join(folder, 'functions', 'deny-all.mjs'), denyAll)
    await chmod(folder, 0o755)
    await mkdir(join(folder, 'data'))
    if (uid !== undefined) await chown(join(folder, 'data'), uid, uid)
    const flags = ['--data-dir', join(folder, 'data'), '--functions', join(folder, 'functions'), '--tls', 'off']
    const ports = ['--http-port', '0', '--admin-port', '0', '--public-host', 'localhost:1', ...more]
    const [command = '', ...args] = [...as, process.execPath, main, 'serve', ...flags, ...ports]
    const environment = {
      PATH: process.env.PATH,
      CARILLON_ACCESS_KEY_ID: credentials.accessKeyId,
      CARILLON_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    }
    const child = spawn(command, args, { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
    t.after(() => child.kill('SIGKILL'))
    let log = ''
    child.stderr.on('data', (chunk) => {
      log += chunk
    })
    t.after(() => t.passed || console.error(log))
    let printed = ''
    for await (const chunk of child.stdout) {
      printed += chunk
      if (printed.includes('/metrics')) break
    }
    child.stdout.resume()
    const [, http = ''] = /ready at (http:\S+)/.exec(printed) ?? []
    const [, admin = ''] = /Health and metrics: (\S+)\/readyz/.exec(printed) ?? []
    if (!http || !admin) throw new Error(`the server did not start: ${log}`)
    return new ShortageStage(child.pid!, as, http, admin)
  }

  /** A channel of two with a flow of one processor, that denies everything. */
  async talk(fallbackAction: 'CONTINUE' | 'ABORT', functionName = 'deny-all'): Promise<Talk> {
    const { messaging, identity } = this
    const { AppInstanceArn } = await identity.createAppInstance({ Name: 'shortage' })
    const user = async (AppInstanceUserId: string) =>
      (await identity.createAppInstanceUser({ AppInstanceArn, AppInstanceUserId, Name: AppInstanceUserId }))
        .AppInstanceUserArn!
    const [sender, other] = [await user('ann'), await user('bob')]
    const { ChannelFlowArn } = await messaging.createChannelFlow({
      AppInstanceArn,
      Name: 'moderated',
      Processors: [
        {
          Name: 'deny-all',
          ExecutionOrder: 1,
          FallbackAction: fallbackAction,
          Configuration: {
            Lambda: {
              ResourceArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
              InvocationType: 'ASYNC',
            },
          },
        },
      ],
    })
    const { ChannelArn: channelArn = '' } = await messaging.createChannel({
      AppInstanceArn,
      Name: 'talk',
      ChimeBearer: sender,
    })
    await messaging.createChannelMembership({
      ChannelArn: channelArn,
      MemberArn: other,
      Type: 'DEFAULT',
      ChimeBearer: sender,
    })
    await messaging.associateChannelFlow({ ChannelArn: channelArn, ChannelFlowArn, ChimeBearer: sender })
    return { channelArn, sender, listener: await this.#session(other), own: await this.#session(sender) }
  }

  async send({ channelArn, sender }: Talk): Promise<string> {
    const message = { Content: 'unmoderated', Type: 'STANDARD', Persistence: 'PERSISTENT' } as const
    const sent = await this.messaging.sendChannelMessage({ ChannelArn: channelArn, ChimeBearer: sender, ...message })
    return sent.MessageId!
  }

  /** Something that no flow holds, and so comes right after all that the members were told before. */
  async rename({ channelArn, sender }: Talk): Promise<void> {
    await this.messaging.updateChannel({ ChannelArn: channelArn, ChimeBearer: sender, Name: 'renamed' })
  }

  async status({ channelArn, sender }: Talk, messageId: string): Promise<string | undefined> {
    const { Status } = await this.messaging.getChannelMessageStatus({
      ChannelArn: channelArn,
      ChimeBearer: sender,
      MessageId: messageId,
    })
    return Status?.Value
  }

  /** Sets limits of the running server: `--nofile=64:`, `--nproc=20`. */
  limit(limit: string): void {
    const [command = '', ...args] = [...this.#as, 'prlimit', '--pid', String(this.pid), limit]
    execFileSync(command, args)
  }

  /** Over one connection that is kept, since a new one could not be opened. */
  async admin(path: string): Promise<{ status: number; body: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
    get(this.#admin + path, { agent: this.#agent }, (response) => {
      text(response).then((body) => resolve({ status: response.statusCode!, body }), reject)
    }).on('error', reject)
    return promise
  }

  /** Waits until a metric with this name and label is at least so high. */
  async metric(name: string, atLeast: number): Promise<void> {
    for (;;) {
      const { body } = await this.admin('/metrics')
      const line = body.split('\n').find((candidate) => candidate.startsWith(name))
      if (Number(line?.split(' ').at(-1)) >= atLeast) return
      await pause(50)
    }
  }

  async ready(): Promise<void> {
    while ((await this.admin('/readyz')).status !== 200) await pause(200)
  }

  async #session(userArn: string): Promise<SessionClient> {
    const { host } = this.#endpoint
    const target = `/connect?userArn=${encodeURIComponent(userArn)}&sessionId=${randomUUID()}`
    const call = { method: 'GET', target, headers: { host } }
    const pairs = await presign(call, { credentials, region, signingDate: new Date(), expiresInSeconds: 30 })
    const client = new SessionClient(`ws://${host}/connect?${new URLSearchParams(pairs.map((pair) => [...pair]))}`)
    await client.next()
    return client
  }
}
