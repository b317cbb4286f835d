import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { settings } from '../../src/settings.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const packageText = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')

const commands = ['serve', 'stop', 'keys', 'migrate', 'backup', 'healthcheck', 'demo', 'help', 'version']

/** What a whole process prints and how it ends. */
function carillon(args: string[], environment: Record<string, string> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    encoding: 'utf8',
    env: environment,
  })
  return { status, stdout, stderr }
}

suite('carillon help', () => {
  test('lists every command and setting', () => {
    const { status, stdout, stderr } = carillon(['help'])
    assert.deepEqual({ status, stderr }, { status: 0, stderr: '' })
    for (const name of commands) assert.match(stdout, new RegExp(`^ {2}npx carillon ${name} `, 'm'))
    for (const setting of Object.values(settings)) {
      assert.ok(stdout.includes(setting.variable))
      assert.ok(stdout.includes('flag' in setting ? setting.flag : `${setting.variable}_FILE`))
    }
  })

  test('fits a terminal of 80 columns', () => {
    for (const line of carillon(['help']).stdout.split('\n')) assert.ok(line.length <= 80, line)
  })

  test('is printed whoever asks how', () => {
    const { stdout } = carillon(['help'])
    for (const args of [['--help'], ['-h'], ['serve', '--help'], ['serve', '--http-port', '0', '-h']]) {
      assert.deepEqual(carillon(args), { status: 0, stdout, stderr: '' })
    }
  })
})

suite('carillon version', () => {
  test('prints the version of the package', () => {
    const stdout = `carillon ${JSON.parse(packageText).version}\n`
    for (const args of [['version'], ['--version']]) assert.deepEqual(carillon(args), { status: 0, stdout, stderr: '' })
  })
})

suite('the command has one spelling, which works in a clone, in a project with the package and in the container', () => {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const read = (file: string) => readFileSync(`${root}/${file}`, 'utf8')
  const other = new RegExp(
    `(?<!npx )(?<![-\\w./])carillon (${commands.join('|')})\\b|\\b(src/main\\.ts|dist/main\\.js)\\b`,
    'g',
  )

  // test/docs/links.test.ts looks at the pages.
  test('in configurations and compose files', () => {
    const files = globSync(['docs/**/*.{cfg,conf,service,yml,yaml}', 'compose*.yaml', 'Dockerfile'], { cwd: root })
    assert.ok(files.length > 5)
    for (const file of files) assert.deepEqual(read(file).match(other) ?? [], [], file)
  })

  test('in all that the program prints', () => {
    const sources = globSync('src/**/*.ts', { cwd: root })
    assert.ok(sources.length > 50)
    for (const file of sources) {
      const code = read(file).replaceAll(/^\s*(\/\*\*|\*|\/\/).*$/gm, '')
      assert.deepEqual(code.match(other) ?? [], [], file)
    }
  })
})

suite('a mistake is one clear line and exit code 1', () => {
  const cases: [args: string[], complaint: string][] = [
    [[], 'carillon needs a command: see npx carillon help'],
    [['serv'], 'carillon has no command "serv"; the nearest one is serve'],
    [['constructor'], 'carillon has no command "constructor": see npx carillon help'],
    [['--http-port', '80'], '--http-port is not a command: see npx carillon help'],
    [['serve', '--htp-port', '80'], '--htp-port is not a flag; the nearest one is --http-port\nsee npx carillon help'],
  ]
  for (const [args, complaint] of cases) {
    test(['carillon', ...args].join(' '), () => {
      assert.deepEqual(carillon(args), { status: 1, stdout: '', stderr: `${complaint}\n` })
    })
  }

  test('several problems are a line each', () => {
    const { status, stderr } = carillon(['serve', '--region=moon', 'stray'], { CARILLON_HTTP_PORT: 'x' })
    assert.equal(status, 1)
    assert.deepEqual(stderr.trimEnd().split('\n'), [
      '"stray" is not expected here: settings are given as --flag value',
      'CARILLON_HTTP_PORT is "x", but must be a number from 0 to 65535, where 0 picks a free port',
      '--region is "moon", but must be a region name such as us-east-1',
      'see npx carillon help',
    ])
  })
})
