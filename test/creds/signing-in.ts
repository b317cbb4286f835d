import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { startTestServer, TestServer } from '../support/running-server.ts'

/** The page that may call. */
export const origin = 'https://chat.example.org'

/** Whom the function `creds` of the tests knows, and what it does with other tokens. */
const functionSource = `
const people = {
  'Bearer ann-token': { uuid: 'ann', displayName: 'Ann', metadata: null },
  'Bearer ann-renamed': { uuid: 'ann', displayName: 'Ann Other', metadata: 'new' },
  'Bearer bob-token': { uuid: 'bob', displayName: 'Bob', metadata: '{"team":"blue"}' },
  'Bearer cyd-token': { uuid: 'cyd', displayName: 'Cyd' },
  'Bearer invalid-token': { uuid: 'not an id', displayName: 'invalid-token' },
  'Bearer text-token': 'text',
  'Bearer long-token': { uuid: 'long', displayName: 'Long', metadata: 'm'.repeat(20000) },
}
export async function handler(event) {
  console.log(event)
  const { Authorization } = event.headers
  if (Authorization === 'Bearer failing-token') throw new Error(Authorization)
  if (Authorization === 'Bearer hanging-token') await new Promise((resolve) => setTimeout(resolve, 60_000))
  if (Authorization === 'Bearer dying-token') process.exit(1)
  return people[Authorization] ?? null
}
`

/** Creates an AppInstance and the function, and restarts the server with `/creds` on. Returns the AppInstance's ARN. */
export async function turnOn(
  server: Awaited<ReturnType<typeof startTestServer>>,
  { origins = [origin], callsPerMinute = 1_000, flags = [] as string[] } = {},
): Promise<string> {
  const { AppInstanceArn: appInstanceArn } = await server.identity.createAppInstance({ Name: 'creds' })
  await writeFile(join(server.functions, 'creds.mjs'), functionSource)
  const where = ['--creds-origins', origins.join(), '--creds-app-instance', appInstanceArn!]
  await server.restart([...where, '--creds-per-minute', String(callsPerMinute), ...flags])
  return appInstanceArn!
}

interface CredsCall {
  method?: string
  headers?: Record<string, string>
  body?: string
  path?: string
}

/** Calls `/creds` as it is told to: without an origin and without a token unless they are among the headers. */
export function callCreds(server: TestServer, { method = 'POST', path = '/creds', headers = {}, body }: CredsCall) {
  return fetch(server.endpoint.http + path, { method, headers, ...(body !== undefined && { body }) })
}

/** As the page does. */
export const exchange = (server: TestServer, token: string, from = origin) =>
  callCreds(server, { headers: { origin: from, authorization: `Bearer ${token}` } })

/** The key for the person with this token, as the SDKs take it. */
export async function signIn(server: TestServer, token: string) {
  const response = await exchange(server, token)
  assert.equal(response.status, 200, await response.clone().text())
  // biome-ignore lint/suspicious/noExplicitAny: the tests compare its members
  const answer: any = await response.json()
  const { AccessKeyId, SecretAccessKey, SessionToken } = answer.ChimeCredentials
  const credentials = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
  return { answer, userArn: answer.ChimeAppInstanceUserArn as string, credentials }
}
