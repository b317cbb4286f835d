import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { type AssumeRoleCommandInput, type Credentials as IssuedCredentials, STS } from '@aws-sdk/client-sts'
import { DerivedSecrets } from '../../src/keys/derived-secrets.ts'
import type { Credentials } from '../../src/keys/key.ts'
import { functionKey } from '../../src/keys/temporary-keys.ts'
import { listAudit } from '../../src/store/audit.ts'
import { keepSetting } from '../../src/store/kept-value.ts'
import type { Store } from '../../src/store/store.ts'
import { audience, Issuer } from '../support/issuer.ts'
import { startTestServer } from '../support/running-server.ts'
import { sign } from '../support/smithy-signer.ts'

const region = 'us-east-1'
const issuer = await Issuer.open()
after(() => issuer.close())

let store: Store
const lines: string[] = []
const write = (fields: object, text: string) => void lines.push(JSON.stringify({ text, ...fields }))
const server = await startTestServer({
  log: { debug: write, info: write, warn: write },
  aroundStore: (opened) => (store = opened),
})
const appInstanceOf = async (name: string) => (await server.identity.createAppInstance({ Name: name })).AppInstanceArn!
const [chat, other] = [await appInstanceOf('chat'), await appInstanceOf('other')]
const userOf = async (AppInstanceArn: string, id: string) =>
  (await server.identity.createAppInstanceUser({ AppInstanceArn, AppInstanceUserId: id, Name: id })).AppInstanceUserArn!
const [ann, bob, carol] = [await userOf(chat, 'ann'), await userOf(chat, 'bob'), await userOf(other, 'carol')]
const roles = [
  `chat=user:${chat}`,
  `people=user+directory:${chat}`,
  'any=user',
  'admin=operator',
  `chat-admin=operator:${chat}`,
  'watch=viewer',
  `calls=callback:${chat}`,
]
await server.restart([
  ...['--admin-port', '0', '--sts-roles', roles.join(',')],
  ...['--oidc-issuer', issuer.url, '--oidc-audience', audience, '--oidc-user-claim', 'chat_user'],
])

const roleArn = (name: string) => `arn:aws:iam::111122223333:role/${name}`

function stsWith(credentials: Credentials = server.credentials): STS {
  return new STS({ endpoint: server.endpoint.http, region, credentials, maxAttempts: 1 })
}

const issuedKey = (issued: IssuedCredentials | undefined): Required<Credentials> => ({
  accessKeyId: issued!.AccessKeyId!,
  secretAccessKey: issued!.SecretAccessKey!,
  sessionToken: issued!.SessionToken!,
})

async function assume(role: string, options: Partial<AssumeRoleCommandInput> = {}, credentials?: Credentials) {
  const call = { RoleArn: roleArn(role), RoleSessionName: 'session', ...options }
  return stsWith(credentials).assumeRole(call)
}

const tagged = (value: string) => ({ Tags: [{ Key: 'UserUUID', Value: value }] })

async function createKey(body: object): Promise<Credentials> {
  const { status, body: key } = await server.call('POST', '/carillon/v1/keys', { body })
  assert.equal(status, 201, JSON.stringify(key))
  return { accessKeyId: key.AccessKeyId, secretAccessKey: key.SecretAccessKey }
}

async function signIn(claims: Record<string, unknown>, options: { role?: string; session?: string } = {}) {
  const WebIdentityToken = await issuer.token({ issuedAtMs: Date.now(), claims })
  const { role = 'chat', session = 'session' } = options
  return stsWith().assumeRoleWithWebIdentity({ RoleArn: roleArn(role), RoleSessionName: session, WebIdentityToken })
}

/** Sends a form as it is. Signed for this service if there is one. */
async function post(form: string, service?: string, headers: Record<string, string> = {}) {
  const { host, origin } = new URL(server.endpoint.http)
  const call = { method: 'POST', target: '/', headers: { host, 'content-type': formType, ...headers }, body: form }
  const options = { credentials: server.credentials, region, signingDate: new Date() }
  const sent = service === undefined ? call.headers : (await sign(call, { ...options, service })).headers
  const response = await fetch(origin, { method: 'POST', headers: sent, body: form })
  return { status: response.status, headers: response.headers, text: await response.text() }
}
const formType = 'application/x-www-form-urlencoded'
const version = 'Version=2011-06-15'

const errorOf = (status: number, name: string) => (error: { name: string; $metadata: { httpStatusCode?: number } }) => {
  assert.deepEqual([error.$metadata.httpStatusCode, error.name], [status, name], String(error))
  return true
}

const channelsOf = (credentials: Credentials, bearer: string) =>
  new ChimeSDKMessaging({ endpoint: server.endpoint.http, region, credentials, maxAttempts: 1 }).listChannels({
    AppInstanceArn: bearer.split('/user/')[0]!,
    ChimeBearer: bearer,
  })

suite('AssumeRole', () => {
  test('issues a key for the user that the session tag names, by id or by ARN', async () => {
    for (const [role, value, arn] of [
      ['chat', 'ann', ann],
      ['chat', bob, bob],
      ['any', carol, carol],
    ] as const) {
      const { Credentials: issued, AssumedRoleUser } = await assume(role, tagged(value))
      const key = issuedKey(issued)
      assert.match(key.accessKeyId, /^ASIA/)
      assert.equal(AssumedRoleUser?.Arn, `arn:aws:sts::111122223333:assumed-role/${role}/session`)
      await channelsOf(key, arn)
      assert.deepEqual((await stsWith(key).getCallerIdentity({})).Arn, arn)
    }
    const key = issuedKey((await assume('chat', tagged('ann'))).Credentials)
    await assert.rejects(channelsOf(key, bob), errorOf(403, 'AccessDeniedException'))
  })

  test('never takes the user from the session name', async () => {
    const call = { ...tagged('ann'), RoleSessionName: 'bob' }
    const key = issuedKey((await assume('chat', call)).Credentials)
    await channelsOf(key, ann)
    await assert.rejects(channelsOf(key, bob), errorOf(403, 'AccessDeniedException'))
    const root = issuedKey((await assume('watch', { RoleSessionName: 'root' })).Credentials)
    const { Arn } = await stsWith(root).getCallerIdentity({})
    assert.equal(Arn, 'arn:aws:sts::111122223333:assumed-role/operator/root')
    await assert.rejects(assume('chat', { RoleSessionName: 'ann' }), errorOf(400, 'ValidationError'))
  })

  test('issues keys of every kind of role', async () => {
    const operator = issuedKey((await assume('admin')).Credentials)
    await channelsOf(operator, ann)
    const viewer = issuedKey((await assume('watch')).Credentials)
    await channelsOf(viewer, ann)
    const callback = issuedKey((await assume('calls')).Credentials)
    await assert.rejects(channelsOf(callback, ann), errorOf(403, 'AccessDeniedException'))
    const people = issuedKey((await assume('people', tagged('ann'))).Credentials)
    const users = { credentials: people, region, endpoint: server.endpoint.http }
    const { ChimeSDKIdentity } = await import('@aws-sdk/client-chime-sdk-identity')
    assert.equal(
      (await new ChimeSDKIdentity(users).listAppInstanceUsers({ AppInstanceArn: chat })).AppInstanceUsers?.length,
      2,
    )
  })

  test('issues keys for an hour, or for 900 to 43,200 s, and never beyond the end of the calling key', async () => {
    const secondsOf = async (DurationSeconds: number | undefined, credentials?: Credentials) => {
      const before = Date.now()
      const options = { ...tagged('ann'), ...(DurationSeconds !== undefined && { DurationSeconds }) }
      const { Credentials: issued } = await assume('chat', options, credentials)
      return Math.round((issued!.Expiration!.getTime() - before) / 60_000) * 60
    }
    assert.equal(await secondsOf(undefined), 3_600)
    assert.equal(await secondsOf(900), 900)
    assert.equal(await secondsOf(43_200), 43_200)
    for (const seconds of [899, 43_201, -1, 1e9]) {
      await assert.rejects(secondsOf(seconds), errorOf(400, 'ValidationError'))
    }
    const end = Math.floor(Date.now() / 1000) + 1_200
    const parent = await createKey({ Kind: 'OPERATOR', ExpirationTimestamp: end })
    assert.equal(await secondsOf(3_600, parent), 1_200)
  })

  test('is for operators: a key of another kind, and a temporary one, gets 403', async () => {
    const secrets = new DerivedSecrets(await keepSetting(store, 'token_key', () => assert.fail('no token key')))
    const keys: Record<string, Credentials> = {
      user: await createKey({ Kind: 'USER', SubjectArn: ann, Directory: true }),
      callback: await createKey({ Kind: 'CALLBACK', SubjectArn: chat }),
      reviewer: await createKey({ Kind: 'OPERATOR', Role: 'REVIEWER' }),
      viewer: await createKey({ Kind: 'OPERATOR', Role: 'VIEWER' }),
      function: functionKey(secrets, 'first'),
      temporary: issuedKey((await assume('admin')).Credentials),
      'temporary of a user': issuedKey((await assume('chat', tagged('ann'))).Credentials),
      'web identity': issuedKey((await signIn({ chat_user: 'ann' })).Credentials),
    }
    for (const [kind, key] of Object.entries(keys)) {
      for (const role of ['chat', 'admin', 'watch', 'unknown']) {
        await assert.rejects(assume(role, tagged('ann'), key), errorOf(403, 'AccessDenied'), `${kind} key, ${role}`)
      }
      assert.equal((await stsWith(key).getCallerIdentity({})).Account, '111122223333', kind)
    }
  })

  test('issues nothing beyond the AppInstance of the calling key', async () => {
    const key = await createKey({ Kind: 'OPERATOR', SubjectArn: chat })
    await assume('chat', tagged('ann'), key)
    await assume('any', tagged(bob), key)
    await assume('chat-admin', {}, key)
    for (const [role, options] of [
      ['any', tagged(carol)],
      ['admin', {}],
      ['watch', {}],
    ] as const) {
      await assert.rejects(assume(role, options, key), errorOf(403, 'AccessDenied'), role)
    }
  })

  test('rejects a role that is not set, and one of another account', async () => {
    const unset = /no role of this name/
    await assert.rejects(assume('unknown'), { name: 'AccessDenied', message: unset })
    const elsewhere = { RoleArn: 'arn:aws:iam::999999999999:role/admin' }
    await assert.rejects(assume('', elsewhere), { name: 'AccessDenied', message: unset })
    const withPath = { RoleArn: 'arn:aws:iam::111122223333:role/service/chat/admin' }
    await assume('', withPath)
  })

  test('rejects a user that does not exist, is of another AppInstance, or is suspended', async () => {
    await assert.rejects(assume('chat', tagged('nobody')), errorOf(403, 'AccessDenied'))
    await assert.rejects(assume('chat', tagged(carol)), errorOf(400, 'ValidationError'))
    await assert.rejects(assume('chat', tagged('a/b')), errorOf(400, 'ValidationError'))
    const dora = await userOf(chat, 'dora')
    await suspend(dora)
    await assert.rejects(assume('chat', tagged('dora')), errorOf(403, 'AccessDenied'))
    await assert.rejects(signIn({ chat_user: 'dora' }), errorOf(403, 'AccessDenied'))
  })

  test('rejects what would narrow the key or prove more', async () => {
    for (const options of [
      { Policy: '{"Version":"2012-10-17","Statement":[]}' },
      { PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/ReadOnlyAccess' }] },
      { SerialNumber: 'arn:aws:iam::111122223333:mfa/ann', TokenCode: '123456' },
      { SourceIdentity: 'ann' },
    ]) {
      const call = assume('chat', { ...tagged('ann'), ...options })
      await assert.rejects(call, { name: 'ValidationError', message: /is not supported by this server/ })
    }
    await assume('chat', { ...tagged('ann'), PolicyArns: [], ExternalId: 'partner' })
  })

  test('has a row in the audit log, with the id of the new key', async () => {
    const parent = await createKey({ Kind: 'OPERATOR', Name: 'back end' })
    const { Credentials: issued } = await assume('chat', { ...tagged('ann'), RoleSessionName: 'audited' }, parent)
    const rows = await listAudit(store.read, { after: [0, 0], rowsMax: 1_000 })
    const row = rows.find(({ facts_json: facts }) => facts.includes('audited'))
    assert.deepEqual(
      [row?.access_key_id, row?.key_name, row?.action],
      [parent.accessKeyId, 'back end', 'sts:AssumeRole'],
    )
    assert.equal(row?.scope_arn, chat)
    assert.deepEqual(JSON.parse(row.facts_json), {
      RoleArn: roleArn('chat'),
      RoleSessionName: 'audited',
      SubjectArn: ann,
      AccessKeyId: issued?.AccessKeyId,
    })
    assert.ok(row.request_id && row.address)
  })

  test('ends the key with the key that asked for it', async () => {
    const parent = await createKey({ Kind: 'OPERATOR' })
    const key = issuedKey((await assume('chat', tagged('ann'), parent)).Credentials)
    await channelsOf(key, ann)
    const path = `/carillon/v1/keys/${parent.accessKeyId}`
    assert.equal((await server.call('DELETE', path)).status, 204)
    await assert.rejects(channelsOf(key, ann), errorOf(403, 'UnrecognizedClientException'))
    await assert.rejects(stsWith(key).getCallerIdentity({}), errorOf(403, 'InvalidClientTokenId'))
  })
})

async function suspend(userArn: string): Promise<void> {
  const target = `/carillon/v1/users/${encodeURIComponent(userArn)}?operation=suspend`
  const { status, body } = await server.call('POST', target)
  assert.ok(status < 300, JSON.stringify(body))
}

suite('AssumeRoleWithWebIdentity', () => {
  test('issues a key to the user of the token, whatever the session is called', async () => {
    const response = await signIn({ chat_user: 'ann', sub: 'subject-1' }, { session: 'bob' })
    const key = issuedKey(response.Credentials)
    await channelsOf(key, ann)
    await assert.rejects(channelsOf(key, bob), errorOf(403, 'AccessDeniedException'))
    assert.equal(response.SubjectFromWebIdentityToken, 'subject-1')
    assert.equal(response.Provider, issuer.url)
    assert.equal(response.Audience, audience)
  })

  test('issues keys of users only, to users that exist', async () => {
    for (const role of ['admin', 'chat-admin', 'watch', 'calls', 'unknown']) {
      await assert.rejects(signIn({ chat_user: 'ann' }, { role }), errorOf(403, 'AccessDenied'), role)
    }
    await assert.rejects(signIn({ chat_user: 'nobody' }), errorOf(403, 'AccessDenied'))
    await assert.rejects(signIn({ chat_user: carol }), errorOf(403, 'AccessDenied'))
    const { Credentials: issued } = await signIn({ chat_user: carol }, { role: 'any' })
    await channelsOf(issuedKey(issued), carol)
  })

  test('rejects tokens by the names of AWS', async () => {
    const past = Math.floor(Date.now() / 1000) - 60
    await assert.rejects(signIn({ chat_user: 'ann', exp: past }), errorOf(400, 'ExpiredTokenException'))
    await assert.rejects(signIn({ chat_user: 'ann', aud: 'x' }), errorOf(400, 'InvalidIdentityTokenException'))
    await assert.rejects(signIn({}), errorOf(400, 'InvalidIdentityTokenException'))
  })
})

suite('the protocol', () => {
  test('is a form in and XML out, with the request id in the header and the body', async () => {
    const { status, headers, text } = await post(`Action=GetCallerIdentity&${version}`, 'sts')
    assert.equal(status, 200)
    assert.equal(headers.get('content-type'), 'text/xml')
    const id = headers.get('x-amzn-requestid')
    assert.equal(
      text,
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>' +
        `<Arn>arn:aws:iam::111122223333:root</Arn><UserId>${server.credentials.accessKeyId}</UserId>` +
        '<Account>111122223333</Account></GetCallerIdentityResult>' +
        `<ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata></GetCallerIdentityResponse>\n`,
    )
  })

  test('has errors in XML', async () => {
    for (const [form, service, status, code] of [
      ['', 'sts', 400, 'InvalidAction'],
      [`Action=GetSessionToken&${version}`, 'sts', 400, 'InvalidAction'],
      [`Action=constructor&${version}`, 'sts', 400, 'InvalidAction'],
      ['Action=GetCallerIdentity', 'sts', 400, 'InvalidAction'],
      [`Action=GetCallerIdentity&${version}`, undefined, 403, 'MissingAuthenticationToken'],
      [`Action=GetCallerIdentity&${version}&Action=AssumeRole`, 'sts', 400, 'ValidationError'],
      [`Action=AssumeRole&${version}`, 'sts', 400, 'ValidationError'],
      [`Action=AssumeRoleWithWebIdentity&${version}`, undefined, 400, 'ValidationError'],
      ['x'.repeat(65_537), undefined, 413, 'RequestEntityTooLarge'],
    ] as const) {
      const answer = await post(form, service)
      assert.equal(answer.status, status, form.slice(0, 99))
      const { text, headers } = answer
      assert.match(text, new RegExp(`^<ErrorResponse .*<Type>Sender</Type><Code>${code}</Code><Message>`))
      assert.ok(text.endsWith(`<RequestId>${headers.get('x-amzn-requestid')}</RequestId></ErrorResponse>\n`), text)
    }
    const missing = await post(`Action=AssumeRole&${version}`, 'sts')
    assert.match(missing.text, /2 validation errors detected: .*'roleArn'.*'roleSessionName'/)
  })

  test('escapes what a caller sent', async () => {
    const form = new URLSearchParams({ RoleArn: 'arn:aws:iam::1:role/<b>&"', RoleSessionName: 'ann' })
    const { status, text } = await post(`Action=AssumeRole&${version}&${form}`, 'sts')
    assert.equal(status, 403)
    assert.match(text, /role\/&#60;b&#62;&#38;&#34;/)
  })

  test('takes a signature for STS only, and the API none for STS', async () => {
    const { status, text } = await post(`Action=GetCallerIdentity&${version}`, 'chime')
    assert.equal(status, 403)
    assert.match(text, /<Code>SignatureDoesNotMatch<.*correct service: 'sts', not 'chime'/)
    const { host, origin } = new URL(server.endpoint.http)
    const call = { method: 'GET', target: '/app-instances', headers: { host } }
    const options = { credentials: server.credentials, region, signingDate: new Date() }
    for (const [service, expected] of [
      ['chime', 200],
      ['sts', 403],
    ] as const) {
      const { headers } = await sign(call, { ...options, service })
      assert.equal((await fetch(`${origin}/app-instances`, { headers })).status, expected, service)
    }
  })

  test('rejects a suspended key', async () => {
    const key = await createKey({ Kind: 'OPERATOR' })
    await server.call('POST', `/carillon/v1/keys/${key.accessKeyId}?operation=suspend`)
    await assert.rejects(stsWith(key).getCallerIdentity({}), errorOf(403, 'InvalidClientTokenId'))
    await assert.rejects(assume('admin', {}, key), errorOf(403, 'InvalidClientTokenId'))
  })

  test('puts no secret, token or JWT into a log line, a metric or an error', async () => {
    const secrets: string[] = []
    const { Credentials: issued } = await signIn({ chat_user: 'ann' })
    const key = issuedKey(issued)
    await stsWith(key).getCallerIdentity({})
    secrets.push(key.secretAccessKey, key.sessionToken, server.credentials.secretAccessKey)
    const errors: string[] = []
    for (const claims of [{ chat_user: 'ann', exp: 1 }, { chat_user: 'nobody' }, { aud: 'x' }, { chat_user: 7 }]) {
      const token = await issuer.token({ issuedAtMs: Date.now(), claims })
      secrets.push(token, ...token.split('.'))
      const form = new URLSearchParams({ RoleArn: roleArn('chat'), RoleSessionName: 'ann', WebIdentityToken: token })
      errors.push((await post(`Action=AssumeRoleWithWebIdentity&${version}&${form}`)).text)
    }
    const wrong = { ...key, secretAccessKey: 'x'.repeat(40) }
    await stsWith(wrong)
      .getCallerIdentity({})
      .catch((error: Error) => errors.push(error.message))
    assert.equal(errors.length, 5)
    assert.ok(
      lines.some((line) => line.includes('"AssumeRoleWithWebIdentity"')),
      'the calls are not in the log',
    )
    assert.ok(
      lines.some((line) => line.includes('request rejected: signature')),
      'the rejection is not in the log',
    )
    const metrics = await (await fetch(`${server.endpoint.admin}/metrics`)).text()
    assert.match(metrics, /operation="AssumeRoleWithWebIdentity"/)
    const found = [...lines, ...errors, metrics].filter((line) =>
      secrets.some((secret) => secret.length > 20 && line.includes(secret)),
    )
    assert.deepEqual(found, [])
  })
})
