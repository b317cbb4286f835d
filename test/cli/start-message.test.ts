import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { suite, test } from 'node:test'
import { startMessage } from '../../src/cli/start-message.ts'

const endpoint = {
  http: 'http://127.0.0.1:8080',
  https: 'https://localhost:8443',
  wss: 'localhost:8443',
  admin: undefined,
  console: undefined,
  region: 'us-east-1',
  account: '000000000000',
  ca: "/data of o'neil/ca.pem",
}
const files = { config: "/data of o'neil/aws/config", credentials: '/data/aws/credentials' }
const message = startMessage({ endpoint, files, functions: '/app/functions' })

suite('startMessage', () => {
  test('begins with the one line that programs wait for', () => {
    const lines = message.split('\n')
    assert.equal(lines[0], 'carillon ready at http://127.0.0.1:8080 and https://localhost:8443')
    assert.equal(lines.filter((line) => line.startsWith('carillon ready')).length, 1)
  })

  test('can be pasted into a shell, whatever the folder is called', () => {
    const commands = message.match(/^ {2}(unset|export) .*$/gm)!.join('\n')
    const script = `${commands}\nprintf '%s\\n' "$AWS_CONFIG_FILE" "$AWS_SHARED_CREDENTIALS_FILE" "$NODE_EXTRA_CA_CERTS" "$AWS_PROFILE" "$AWS_ACCESS_KEY_ID"`
    const values = execFileSync('sh', ['-c', script], { encoding: 'utf8', env: { AWS_ACCESS_KEY_ID: 'of AWS' } })
    assert.deepEqual(values.split('\n').slice(0, -1), [files.config, files.credentials, endpoint.ca, 'carillon', ''])
  })

  test('names the commands for browsers and old clients, and the functions folder', () => {
    assert.match(message, /open https:\/\/localhost:8443\/ once/)
    assert.match(message, /--endpoint-url http:\/\/127\.0\.0\.1:8080 /)
    assert.match(message, /Functions of channel flows: \/app\/functions$/m)
  })

  test('names the addresses of health and metrics, if there are any', () => {
    const admin = 'http://127.0.0.1:8081'
    const text = startMessage({ endpoint: { ...endpoint, admin }, files, functions: '/app/functions' })
    assert.match(text, /^Health and metrics: http:\/\/127\.0\.0\.1:8081\/readyz and http:\S+:8081\/metrics$/m)
    assert.doesNotMatch(message, /metrics/)
  })

  test('has the link to the console, or the command that prints one', () => {
    const console = 'http://127.0.0.1:9080'
    const link = `${console}/#token=secret`
    const text = startMessage({ endpoint: { ...endpoint, console }, files, functions: '/app/functions', link })
    assert.match(text, /^Console, to watch messages being held: http:\/\/127\.0\.0\.1:9080\/#token=secret$/m)
    const logged = startMessage({ endpoint: { ...endpoint, console }, files, functions: '/app/functions' })
    assert.match(logged, /^Console: npx carillon console prints a link$/m)
    assert.doesNotMatch(logged + message, /token/)
    assert.doesNotMatch(message, /[Cc]onsole/)
  })

  test('does not mention the authority if it has signed nothing', () => {
    const own = startMessage({ endpoint: { ...endpoint, ca: undefined }, files, functions: '/app/functions' })
    assert.doesNotMatch(own, /NODE_EXTRA_CA_CERTS|accept/)
    assert.match(own, /^Messaging sessions are opened at wss:\/\/localhost:8443\/connect$/m)
  })

  test('says what a proxy has to do where there is no TLS', () => {
    const bare = { ...endpoint, https: undefined, ca: undefined, wss: 'chat.example.com' }
    const lines = startMessage({ endpoint: bare, files, functions: '/app/functions' }).split('\n')
    assert.equal(lines[0], 'carillon ready at http://127.0.0.1:8080')
    const at = lines.indexOf('Messaging sessions are opened at wss://chat.example.com/connect, which a proxy')
    assert.equal(lines[at + 1], 'forwards to http://127.0.0.1:8080')
  })
})
