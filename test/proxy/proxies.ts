import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import type { CertifiedKey } from '../../src/tls/issue-certificate.ts'
import { unlessRequired } from '../support/required.ts'

const documents = join(import.meta.dirname, '../../docs/proxy')

/** Where things are in a test, all below one folder. */
interface Place {
  folder: string
  /** Where the proxy listens, in the place of a port that another program might have. */
  socket: string
  certificate: string
  key: string
  /** Certificate and key in one. */
  both: string
  /** The documented configuration, made ready. */
  configuration: string
  /** The host and port of Carillon. */
  backend: string
  /** The port that clients call. */
  port: number
}

/** A proxy with a documented configuration. */
export interface DocumentedProxy {
  name: string
  /** Of the documented configuration, below docs/proxy. */
  file: string
  versionFlag: string
  /** What the document marks as yours, and what stands there in a test. */
  yours(place: Place): [documented: string, here: string][]
  /** What surrounds the documented configuration, if it does not stand alone. */
  surround?(place: Place): string
  args(place: Place): string[]
}

const nginx: DocumentedProxy = {
  name: 'nginx',
  file: 'nginx.conf',
  versionFlag: '-v',
  yours: ({ socket, certificate, key, backend }) => [
    ['server 127.0.0.1:8080; # yours', `server ${backend};`],
    ['listen 443 ssl; # yours', `listen unix:${socket} ssl;`],
    ['server_name chat.example.com; # yours', 'server_name localhost;'],
    ['ssl_certificate /etc/ssl/chat.example.com.crt; # yours', `ssl_certificate ${certificate};`],
    ['ssl_certificate_key /etc/ssl/chat.example.com.key; # yours', `ssl_certificate_key ${key};`],
  ],
  surround: ({ folder, configuration }) => {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    // Workers have to get into the folder of this user.
    return `${process.getuid?.() === 0 ? 'user root;' : ''}
      pid ${folder}/nginx.pid;
      events {}
      http {
        access_log off;
        ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join('\n')}
        include ${configuration};
      }`
  },
  args: ({ folder }) => ['-e', 'stderr', '-c', join(folder, 'surrounding'), '-g', 'daemon off;'],
}

const haproxy: DocumentedProxy = {
  name: 'haproxy',
  file: 'haproxy.cfg',
  versionFlag: '-v',
  yours: ({ socket, both, backend }) => [
    [
      'bind :443 ssl crt /etc/haproxy/chat.example.com.pem alpn h2,http/1.1 # yours',
      `bind unix@${socket} ssl crt ${both} alpn h2,http/1.1`,
    ],
    ['server carillon 127.0.0.1:8080 # yours', `server carillon ${backend}`],
  ],
  args: ({ configuration }) => ['-db', '-f', configuration],
}

const caddy: DocumentedProxy = {
  name: 'caddy',
  file: 'Caddyfile',
  versionFlag: 'version',
  yours: ({ socket, certificate, key, backend, port }) => [
    [
      '# yours; Caddy gets the certificate by itself\nchat.example.com {',
      `localhost:${port} {\n\tbind unix/${socket}\n\ttls ${certificate} ${key}`,
    ],
    ['# yours\n\treverse_proxy 127.0.0.1:8080 {', `reverse_proxy ${backend} {`],
  ],
  surround: ({ configuration }) => `{\n\tadmin off\n\tauto_https disable_redirects\n}\nimport ${configuration}\n`,
  args: ({ folder }) => ['run', '--adapter', 'caddyfile', '--config', join(folder, 'surrounding')],
}

export const proxies = { nginx, haproxy, caddy }

/** Why the tests of a proxy cannot run here, or false if they can. */
export function missing({ name, file, versionFlag }: DocumentedProxy): string | false {
  if (!spawnSync(name, [versionFlag]).error) return false
  return unlessRequired(`${name} IS NOT INSTALLED: docs/proxy/${file} IS NOT TESTED (apt-get install ${name})`)
}

interface Beginning {
  certified: CertifiedKey
  /** The URL of Carillon. */
  backend: string
  /** Takes the callers' connections, and is handed on to the proxy byte by byte. */
  front: Server
  /** A change of the documented configuration. */
  change?: (text: string) => string
}

/** Starts a proxy with its documented configuration. Answers what stops it. */
export async function startProxy(proxy: DocumentedProxy, beginning: Beginning): Promise<() => Promise<void>> {
  const place = prepare(proxy, beginning)
  const { folder, socket } = place
  const environment = { ...process.env, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const child = spawn(proxy.name, proxy.args(place), { env: environment, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said += text
  })
  const ended = once(child, 'close')
  while (!(await accepts(socket))) {
    assert.equal(child.exitCode, null, `${proxy.name} ended: ${said}`)
    await setTimeout(5)
  }
  beginning.front.on('connection', (caller) => {
    const inside = connect(socket)
    caller.pipe(inside).pipe(caller)
    caller.on('error', () => inside.destroy()).on('close', () => inside.destroy())
    inside.on('error', () => caller.destroy()).on('close', () => caller.destroy())
  })
  return async () => {
    child.kill()
    await ended
    rmSync(folder, { recursive: true })
  }
}

/** Fails if the document does not have what this test means to replace, or marks more as yours than that. */
function prepare(proxy: DocumentedProxy, { certified, backend, front, change = (text) => text }: Beginning): Place {
  const { certificatePem, privateKeyPem } = certified
  const folder = mkdtempSync(join(tmpdir(), `carillon-${proxy.name}-`))
  const { port } = front.address() as { port: number }
  const write = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const place: Place = {
    folder,
    socket: join(folder, 'socket'),
    certificate: write('certificate.pem', certificatePem),
    key: write('key.pem', privateKeyPem),
    both: write('both.pem', certificatePem + privateKeyPem),
    configuration: join(folder, 'configuration'),
    backend: new URL(backend).host,
    port,
  }
  let text = readFileSync(join(documents, proxy.file), 'utf8')
  for (const [documented, here] of proxy.yours(place)) {
    assert.equal(text.split(documented).length, 2, `${proxy.file} has not exactly one ${documented}`)
    text = text.replace(documented, () => here)
  }
  assert.doesNotMatch(text, /# yours/)
  write('configuration', change(text))
  if (proxy.surround) write('surrounding', proxy.surround(place))
  return place
}

async function accepts(socket: string): Promise<boolean> {
  const attempt = connect(socket)
  try {
    await once(attempt, 'connect')
    return true
  } catch {
    return false
  } finally {
    attempt.destroy()
  }
}
