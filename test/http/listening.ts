import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest, type IncomingHttpHeaders, type RequestOptions } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import Type from 'typebox'
import { bearer, optional, path, query } from '../../src/contract/binding.ts'
import { operationsWith } from '../../src/contract/operation.ts'
import { MaxResults, Metadata, NetworkType, ResourceName, Timestamp } from '../../src/contract/shapes.ts'
import { MessageAttributeMap } from '../../src/contract/structures/channel-messages.ts'
import { Identity } from '../../src/contract/structures/identity.ts'
import { TagList } from '../../src/contract/structures/tags.ts'
import { type AuthenticCall, createListener, type ListenerParts, serverOptions } from '../../src/http/serve.ts'
import { rootGrant } from '../../src/keys/grant.ts'
import { Metrics } from '../../src/runtime/metrics.ts'

/** What a test's operation may do: answer the input, or what the test has put in `act`. */
export interface TestContextParts extends Pick<AuthenticCall, 'credentials' | 'requestId'> {
  act?: (input: object) => object
}

const operation = operationsWith<TestContextParts>()

const everything = {
  resources: [],
  allow: () => undefined,
  handle: (input: object, { act }: TestContextParts) => act?.(input) ?? {},
}

const output = { Name: optional(ResourceName), Owner: optional(Identity) }

export const DescribeBell = operation({
  name: 'DescribeBell',
  http: 'GET /bells/{BellArn} 200',
  input: { BellArn: path(ResourceName), ChimeBearer: bearer() },
  output,
  errors: ['BadRequest', 'Forbidden'],
  ...everything,
})
export const GetBellStatus = operation({
  name: 'GetBellStatus',
  http: 'GET /bells/{BellArn}?scope=bell-status 200',
  input: { BellArn: path(ResourceName) },
  output,
  errors: ['BadRequest'],
  ...everything,
})
export const RingBell = operation({
  name: 'RingBell',
  http: 'POST /bells/{BellArn}?operation=ring 200',
  input: { BellArn: path(ResourceName) },
  output,
  errors: ['BadRequest'],
  ...everything,
})
export const ListBells = operation({
  name: 'ListBells',
  http: 'GET /bells 200',
  input: {
    NetworkType: optional(query('network-type', NetworkType)),
    MaxResults: optional(query('max-results', MaxResults)),
    NotBefore: optional(query('not-before', Timestamp)),
    NextToken: optional(query('next-token', Metadata)),
  },
  output,
  errors: ['BadRequest'],
  ...everything,
})
export const CreateBell = operation({
  name: 'CreateBell',
  http: 'POST /bells 201',
  input: {
    Name: ResourceName,
    Metadata: optional(Metadata),
    Owner: optional(Identity),
    Tags: optional(TagList),
    Attributes: optional(MessageAttributeMap),
    Tones: optional(Type.Array(ResourceName)),
  },
  output,
  errors: ['BadRequest', 'Conflict'],
  ...everything,
})
export const DeleteBell = operation({
  name: 'DeleteBell',
  http: 'DELETE /bells/{BellArn}/hangers/{HangerArn} 204',
  input: { HangerArn: path(ResourceName), BellArn: path(ResourceName) },
  output: {},
  errors: ['BadRequest'],
  ...everything,
})

export const operations = [DescribeBell, GetBellStatus, RingBell, ListBells, CreateBell, DeleteBell]

export interface Answered {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** One line of the log. */
export interface Line {
  level: string
  text: string
  [field: string]: unknown
}

export interface Listening {
  port: number
  log: Line[]
  call(method: string, target: string, options?: RequestOptions & { body?: string | Uint8Array }): Promise<Answered>
  /** A connection on which a test writes and reads the bytes itself. */
  connect(): Promise<Socket>
}

export interface Overrides extends Partial<ListenerParts<TestContextParts>> {
  act?: (input: object) => object
}

/** A real server on a free port with the operations above; everyone may call. It is closed after the test. */
export async function listen(t: TestContext, { act, ...overrides }: Overrides = {}): Promise<Listening> {
  const log: Line[] = []
  const write = (level: string) => (fields: object, text: string) => void log.push({ level, text, ...fields })
  let ids = 0
  const parts: ListenerParts<TestContextParts> = {
    operations,
    authenticate: async () => ({
      ok: true,
      credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret', grant: rootGrant },
    }),
    onVerified: () => {},
    contextFor: ({ credentials, requestId }) => ({ credentials, requestId, ...(act && { act }) }),
    gate: () => {},
    authorize: () => undefined,
    sts: async () => assert.fail('no test posts a form'),
    isCrossOrigin: true,
    page: '<p>Bells</p>',
    draining: () => false,
    metrics: new Metrics(),
    strict: true,
    log: { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') },
    newId: () => `request-${++ids}`,
    ...overrides,
  }
  const server = createServer(serverOptions, createListener(parts)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    port,
    log,
    call: (method, target, options) => call(port, method, target, options),
    async connect() {
      const socket = connect(port, '127.0.0.1')
      t.after(() => socket.destroy())
      await once(socket, 'connect')
      return socket
    },
  }
}

async function call(
  port: number,
  method: string,
  target: string,
  { body, ...options }: RequestOptions & { body?: string | Uint8Array } = {},
): Promise<Answered> {
  const request = httpRequest({ host: '127.0.0.1', port, method, path: target, agent: false, ...options })
  request.end(body)
  const [response] = await once(request, 'response')
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode, headers: response.headers, text }
}
