import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')

/** What `npm pack` makes of the project, unpacked. */
let files: string[]
let folder: string
let unpacked: string
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'carillon-package-'))
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root })
  const [packed] = Object.values(JSON.parse(stdout.slice(stdout.search(/^[[{]/m)))) as [Packed]
  files = packed.files.map(({ path }) => path)
  await run('tar', ['-xzf', join(folder, packed.filename), '-C', folder])
  unpacked = join(folder, 'package')
  symlinkSync(join(root, 'node_modules'), join(unpacked, 'node_modules'))
})
after(() => rm(folder, { recursive: true, force: true }))

interface Packed {
  filename: string
  files: { path: string }[]
}

suite('the package', () => {
  test('has the program, its migrations and its documents, and nothing that only development needs', () => {
    const migrations = readdirSync(join(root, 'src/store/migrations')).map((name) => `dist/store/migrations/${name}`)
    const wanted = [
      'bin/carillon.js',
      'dist/main.js',
      'dist/console-pages/index.html',
      'dist/console-pages/index.html.br',
      ...migrations,
      'README.md',
      'LICENSE',
      'NOTICE',
      'docs/operations.md',
      'docs/channel-flow.svg',
      'docs/prometheus/alerts.yml',
      'docs/systemd/carillon.service',
      'examples/python/processor.py',
      'examples/testing/carillon.mjs',
    ]
    for (const file of wanted) assert.ok(files.includes(file), `${file} is not in the package`)
    const unwanted = files.filter((file) =>
      /^(src|test|tools|data|secrets|node_modules)\/|\.ts$|\.sqlite|\.pem$|node_modules|__pycache__/.test(file),
    )
    assert.deepEqual(unwanted, [])
  })

  test('needs nothing that is not in its dependencies', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8'))
    // The pages of the console are bundled with what they need.
    const isOfServer = (file: string) => file.startsWith('dist/') && !file.startsWith('dist/console-pages/')
    const scripts = files.filter((file) => isOfServer(file) && file.endsWith('.js'))
    assert.ok(scripts.length > 50)
    const imports = /^(?:import|export) .*from '([^']+)';$|^import '([^']+)';$|\bimport\('([^']+)'\)/gm
    const imported = scripts.flatMap((file) =>
      [...readFileSync(join(unpacked, file), 'utf8').matchAll(imports)]
        .map(([, named, bare, dynamic]) => named ?? bare ?? dynamic ?? '')
        .filter((specifier) => !specifier.startsWith('.'))
        .map((specifier) => specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')),
    )
    const missing = new Set(imported.filter((name) => !name.startsWith('node:') && !(name in dependencies)))
    // The demo alone plays all of AWS's clients, and says what to install if one is not there.
    assert.deepEqual([...missing], ['@aws-sdk/client-chime-sdk-identity', 'amazon-chime-sdk-js'])
    for (const name of missing) assert.ok(name in devDependencies)
  })

  test('runs as emitted JavaScript: the server, sessions, flows and functions', async () => {
    const main = join(unpacked, 'bin/carillon.js')
    const version = await run(process.execPath, [main, 'version'])
    assert.match(version.stdout, /^carillon \d+\.\d+\.\d+\n$/)
    // Its exit code says whether what was seen is what was to be seen.
    const demo = await run(process.execPath, [main, 'demo'])
    assert.match(demo.stdout, /redact-personal-data changes it/)
  })
})

/** `npx carillon version` in this folder, with a home and a cache that npm cannot write: whatever it needs is there. */
async function npxCarillon(cwd: string, path: string[] = []): Promise<string> {
  const env = {
    PATH: [...path, dirname(process.execPath), process.env.PATH].join(delimiter),
    HOME: '/dev/null',
    npm_config_cache: '/dev/null',
    npm_config_offline: 'true',
  }
  return (await run('npx', ['carillon', 'version'], { cwd, env })).stdout
}

/** The last stage of the Dockerfile, below a folder in the place of the root. */
async function layOut(place: string): Promise<void> {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8').replaceAll(/\\\n\s*/g, '')
  const stage = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '))
  const copies = [...stage.matchAll(/^COPY (?:--from=build )?(.*) (\S+)$/gm)]
  assert.ok(copies.length > 3)
  for (const [, names = '', target = ''] of copies) {
    for (const name of names.split(' ')) {
      const into = join(place, 'app', target.endsWith('/') ? join(target, name) : target)
      mkdirSync(dirname(into), { recursive: true })
      if (name === '/build/node_modules') linkModules(into)
      else
        cpSync(join(name === '/build/dist' ? unpacked : root, name.replace('/build/', '')), into, { recursive: true })
    }
  }
  const [, commands = ''] = /^RUN (.*)$/m.exec(stage) ?? assert.fail('the last stage has no RUN')
  mkdirSync(join(place, 'usr/local/bin'), { recursive: true })
  const here = commands.replaceAll(/(?<= )\/(?=\w)/g, `${place}/`).replace(/ && chown .*$/, '')
  await run('sh', ['-c', here], { cwd: join(place, 'app') })
}

/** The project's dependencies, but not what its folder `.bin` has. */
function linkModules(into: string): void {
  mkdirSync(into)
  const names = readdirSync(join(root, 'node_modules')).filter((name) => !name.startsWith('.'))
  for (const name of names) symlinkSync(join(root, 'node_modules', name), join(into, name))
}

suite('carillon is the same command', () => {
  test('in a project that has the package', async () => {
    const project = join(folder, 'project')
    mkdirSync(join(project, 'node_modules/.bin'), { recursive: true })
    symlinkSync(unpacked, join(project, 'node_modules/carillon'))
    symlinkSync('../carillon/bin/carillon.js', join(project, 'node_modules/.bin/carillon'))
    assert.match(await npxCarillon(project), /^carillon \d+\.\d+\.\d+\n$/)
  })

  test('in the container, where its name alone will do', async () => {
    const place = join(folder, 'container')
    await layOut(place)
    const version = await npxCarillon(join(place, 'app'))
    assert.match(version, /^carillon \d+\.\d+\.\d+\n$/)
    const { stdout } = await run(join(place, 'usr/local/bin/carillon'), ['version'], {
      env: { PATH: dirname(process.execPath) },
    })
    assert.equal(stdout, version)
  })
})
