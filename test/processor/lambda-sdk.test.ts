import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import type { SignedRequest } from '../../src/signature/verify-request.ts'
import { sign } from '../support/smithy-signer.ts'
import { functionArn, processorEvent } from './functions.ts'
import { openEndpoint, startLambda, status } from './lambda-endpoint.ts'

const region = 'eu-central-1'
const credentials = { accessKeyId: 'ASIAEXAMPLE', secretAccessKey: 'an example, not a secret', sessionToken: 'a+b/c=' }

/** Whether the signature is that of what came, made anew with the key. */
async function assertSigned({ method, target, headers, body }: SignedRequest): Promise<void> {
  const { authorization = '' } = headers
  const [, date = ''] = /^(\d{8}T\d{6}Z)$/.exec(String(headers['x-amz-date'])) ?? []
  const names = /SignedHeaders=([^,]+)/.exec(authorization)?.[1]?.split(';') ?? []
  const covered = Object.fromEntries(names.map((name) => [name, String(headers[name])]))
  const signingDate = new Date(date.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'))
  const options = { credentials, signingDate, region, service: 'lambda' }
  const again = await sign({ method, target, headers: covered, body }, options)
  assert.equal(authorization, again.headers.authorization)
}

/** What an endpoint may go by: all but what says who asks, and when. */
function meaning({ method, target, headers, body }: SignedRequest) {
  const names = [
    'host',
    'content-type',
    'content-length',
    'x-amz-invocation-type',
    'x-amz-content-sha256',
    'x-amz-security-token',
  ]
  return { method, target, headers: names.map((name) => [name, headers[name]]), body: body.toString() }
}

for (const [template, name, FunctionName, Qualifier] of [
  ['{name}', 'redact', 'redact', undefined],
  ['{name}', 'redact:live', 'redact', 'live'],
  ['{name}', 'redact:$LATEST', 'redact', '$LATEST'],
  ['{arn}', 'redact:7', functionArn('redact'), '7'],
  ['chat-dev-{name}', 'redact.v2', 'chat-dev-redact.v2', undefined],
] as const) {
  test(`the request for ${template} of ${name} is the one that AWS's own client sends`, async (t) => {
    const { endpoint, requests } = await openEndpoint(t, status(202))
    const event = processorEvent('m-1')
    const client = new LambdaClient({ endpoint, region, credentials })
    t.after(() => client.destroy())
    const Payload = Buffer.from(JSON.stringify(event))
    await client.send(new InvokeCommand({ FunctionName, Qualifier, InvocationType: 'Event', Payload }))
    await startLambda(t, endpoint, { functionName: template, region, credentials }).invoke(name, event)
    const [theirs, ours] = requests as [SignedRequest, SignedRequest]
    assert.deepEqual(meaning(ours), meaning(theirs))
    for (const request of requests) await assertSigned(request)
  })
}
