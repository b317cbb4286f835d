import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, suite, type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { temporaryFolder } from '../processor/functions.ts'
import { audience, Issuer } from '../support/issuer.ts'
import { findPython } from '../support/python.ts'
import { unlessRequired } from '../support/required.ts'
import { startTestServer } from '../support/running-server.ts'

/*
 * SDKs renew their credentials from this STS by themselves, under load: from an ID token in a file, and from a profile
 * that assumes a role. The keys live a little longer than the time before its end at which an SDK renews a key.
 */
const issuer = await Issuer.open()
after(() => issuer.close())
const { python, missing } = findPython(['boto3'])

const sdks = {
  'AWS SDK for JavaScript v3': { keySeconds: 310, program: process.execPath, script: 'renewing-client.mjs' },
  boto3: { keySeconds: 905, program: python, script: 'renewing-client.py', missing },
}

/** A server whose keys live so long, and what an SDK needs to sign in as Ann, and as the operator of a role. */
async function stage(t: TestContext, keySeconds: number) {
  const server = await startTestServer({ keySeconds })
  const { AppInstanceArn: appInstanceArn = '' } = await server.identity.createAppInstance({ Name: 'chat' })
  const user = { AppInstanceArn: appInstanceArn, AppInstanceUserId: 'ann', Name: 'Ann' }
  const { AppInstanceUserArn: ann = '' } = await server.identity.createAppInstanceUser(user)
  const roles = `chat=user:${appInstanceArn},watch=viewer`
  await server.restart(['--sts-roles', roles, '--oidc-issuer', issuer.url, '--oidc-audience', audience])
  const folder = await temporaryFolder(t)
  const files = { config: join(folder, 'config'), token: join(folder, 'token') }
  await writeFile(files.token, await issuer.token({ issuedAtMs: Date.now(), claims: { sub: 'ann' } }))
  const written = await readFile(join(server.dataDir, 'aws/config'), 'utf8')
  const role = 'role_arn = arn:aws:iam::111122223333:role'
  await writeFile(
    files.config,
    `${written}
[profile ann]
region = us-east-1
services = carillon
${role}/chat
role_session_name = ann
web_identity_token_file = ${files.token}

[profile watcher]
region = us-east-1
services = carillon
${role}/watch
source_profile = carillon
`,
  )
  const environment = {
    PATH: process.env.PATH,
    NO_PROXY: '*',
    AWS_CONFIG_FILE: files.config,
    AWS_SHARED_CREDENTIALS_FILE: join(server.dataDir, 'aws/credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  return { arguments: [appInstanceArn, ann], environment }
}

for (const [name, { keySeconds, program, script, ...sdk }] of Object.entries(sdks)) {
  suite(name, () => {
    const skip = unlessRequired('missing' in sdk ? sdk.missing : false)
    for (const profile of ['ann', 'watcher']) {
      test(`renews the credentials of the profile ${profile} under load`, { skip }, async (t) => {
        const { arguments: args, environment } = await stage(t, keySeconds)
        const env = { ...environment, AWS_PROFILE: profile }
        const { stdout } = await promisify(execFile)(program, [join(import.meta.dirname, script), ...args], {
          env,
          signal: t.signal,
        })
        assert.ok(Number(stdout) >= 3, stdout)
      })
    }
  })
}
