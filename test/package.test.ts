import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
    const wanted = ['dist/main.js', ...migrations, 'README.md', 'LICENSE', 'NOTICE', 'docs/operations.md']
    for (const file of wanted) assert.ok(files.includes(file), `${file} is not in the package`)
    const unwanted = files.filter((file) =>
      /^(src|test|tools|data|secrets|node_modules)\/|\.ts$|\.sqlite|\.pem$/.test(file),
    )
    assert.deepEqual(unwanted, [])
  })

  test('needs nothing that is not in its dependencies', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(unpacked, 'package.json'), 'utf8'))
    const scripts = files.filter((file) => file.startsWith('dist/') && file.endsWith('.js'))
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
    const main = join(unpacked, 'dist/main.js')
    const version = await run(process.execPath, [main, 'version'])
    assert.match(version.stdout, /^carillon \d+\.\d+\.\d+\n$/)
    // Its exit code says whether what was seen is what was to be seen.
    const demo = await run(process.execPath, [main, 'demo'])
    assert.match(demo.stdout, /redact-personal-data changes it/)
  })
})
