import assert from 'node:assert/strict'
import { after, suite, test } from 'node:test'
import { audience, Issuer } from '../support/issuer.ts'
import { startTestServer } from '../support/running-server.ts'
import { exchange, signIn, turnOn } from './signing-in.ts'

const logged: string[] = []
const note = (fields: object, text: string) => void logged.push(JSON.stringify([fields, text]))

const server = await startTestServer({ log: { debug: note, info: note, warn: note } })
const issuer = await Issuer.open()
after(() => issuer.close())
const appInstanceArn = await turnOn(server, {
  flags: ['--creds-by', 'oidc', '--oidc-issuer', issuer.url, '--oidc-audience', audience],
})
const tokenFor = (claims: Record<string, unknown>) => issuer.token({ claims, issuedAtMs: Date.now() })

suite('/creds with ID tokens', () => {
  for (const [form, encode] of [
    ['as it is', (token: string) => token],
    ['in Base64, as by the client of AWS’s sample', (token: string) => Buffer.from(token).toString('base64')],
  ] as const) {
    test(`takes a token ${form}`, async () => {
      const { answer } = await signIn(server, encode(await tokenFor({ sub: 'ann', name: 'Ann' })))
      assert.equal(answer.ChimeAppInstanceUserArn, `${appInstanceArn}/user/ann`)
      assert.equal(answer.ChimeDisplayName, 'Ann')
    })
  }

  test('the id is the name of a user whose token has no name, and a long name is cut', async () => {
    assert.equal((await signIn(server, await tokenFor({ sub: 'bob' }))).answer.ChimeDisplayName, 'bob')
    const { answer } = await signIn(server, await tokenFor({ sub: 'cyd', name: 'C'.repeat(200) }))
    assert.equal(answer.ChimeDisplayName, 'C'.repeat(100))
  })

  const refused: Record<string, () => Promise<string> | string> = {
    'no token': () => 'ann',
    'an expired token': () => tokenFor({ sub: 'ann', exp: Math.floor(Date.now() / 1000) - 3600 }),
    'a token for another audience': () => tokenFor({ sub: 'ann', aud: 'other' }),
    'a token with an id that no user can have': () => tokenFor({ sub: 'ann/../bob' }),
    'a token with the ARN of a user': () => tokenFor({ sub: `${appInstanceArn}/user/ann` }),
  }
  for (const [what, token] of Object.entries(refused)) {
    test(`${what}: not authorized`, async () => {
      const response = await exchange(server, await token())
      assert.deepEqual([response.status, await response.text()], [401, 'Not Authorized'])
    })
  }

  test('no token is logged, at any level', async () => {
    const token = await tokenFor({ sub: 'ann' })
    const { credentials } = await signIn(server, token)
    assert.ok(logged.length > 0)
    for (const line of logged) {
      for (const secret of ['eyJ', token, credentials.secretAccessKey, credentials.sessionToken]) {
        assert.ok(!line.includes(secret), line)
      }
    }
  })
})

test('while the issuer cannot be reached, the caller may try again', async () => {
  issuer.override = (_request, response) => void response.writeHead(500).end()
  await server.restart()
  const response = await exchange(server, await tokenFor({ sub: 'ann' }))
  assert.deepEqual([response.status, response.headers.get('retry-after')], [503, '1'])
  issuer.override = undefined
})
