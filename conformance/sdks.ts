import { existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const here = import.meta.dirname
const clients = join(here, '../test/clients')

/** Where the programs are built. Toolchains use their usual folders for what they download. */
export const buildFolder = process.env.CARILLON_CONFORMANCE_BUILD ?? join(tmpdir(), 'carillon-conformance')

type Command = [program: string, ...args: string[]]

export interface Sdk {
  name: string
  /** The folder of its program, in which all commands run. */
  folder: string
  build?: Command
  /** The arguments of every program follow: endpoint, region, access key and secret key. */
  run: Command
  environment?: Record<string, string>
  /** What must be there, with the Debian package or the command that installs it. */
  needs: Record<string, string>
  /** Steps that the SDK cannot do. The program says why. */
  mayLack?: string[]
  /** It shows the body's Code (`Conflict`) where others have the class of the exception (`ConflictException`). */
  errorsAreCodes?: boolean
  /** It shows no status of a response. */
  hidesStatus?: boolean
}

const setup = 'npm run test:setup'
const usual = '/usr/bin:/bin'

export const sdks: Record<string, Sdk> = {
  'js-v3': { name: 'JavaScript v3', folder: 'js-v3', run: [process.execPath, 'conformance.mjs'], needs: {} },
  'js-v2': {
    name: 'JavaScript v2',
    folder: 'js-v2',
    run: [process.execPath, 'conformance.cjs'],
    environment: { NODE_PATH: join(clients, 'node_modules'), AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1' },
    needs: { [join(clients, 'node_modules/aws-sdk')]: setup },
    errorsAreCodes: true,
  },
  boto3: {
    name: 'boto3',
    folder: 'python',
    run: [join(clients, 'python/bin/python'), 'conformance.py'],
    needs: { [join(clients, 'python/bin/python')]: setup },
  },
  'boto3-debian': {
    name: 'boto3 of Debian 12',
    folder: 'python',
    run: ['/usr/bin/python3', 'conformance.py'],
    needs: { '/usr/lib/python3/dist-packages/boto3': 'apt-get install python3-boto3' },
  },
  'cli-1': {
    name: 'AWS CLI 1',
    folder: 'cli',
    run: ['/bin/sh', 'conformance.sh'],
    environment: { PATH: `${join(clients, 'python/bin')}:${usual}` },
    needs: { [join(clients, 'python/bin/aws')]: setup, jq: 'apt-get install jq' },
    mayLack: ['presigned'],
    hidesStatus: true,
  },
  'cli-2': {
    name: 'AWS CLI 2.9 of Debian 12',
    folder: 'cli',
    run: ['/bin/sh', 'conformance.sh'],
    environment: { PATH: usual },
    needs: { '/usr/bin/aws': 'apt-get install awscli', jq: 'apt-get install jq' },
    mayLack: ['presigned'],
    hidesStatus: true,
  },
  go: {
    name: 'Go v1',
    folder: 'go',
    build: ['go', 'build', '-o', join(buildFolder, 'go/conformance'), '.'],
    run: [join(buildFolder, 'go/conformance')],
    needs: { go: 'install Go 1.24 or newer' },
  },
  java: {
    name: 'Java v2',
    folder: 'java',
    build: ['mvn', '--batch-mode', '--quiet', `-DbuildDirectory=${join(buildFolder, 'java')}`, 'package'],
    run: [
      'java',
      '-cp',
      `${join(buildFolder, 'java/classes')}:${join(buildFolder, 'java/dependency/*')}`,
      'Conformance',
    ],
    needs: { mvn: 'apt-get install maven openjdk-17-jdk-headless' },
    mayLack: ['presigned'],
  },
  rust: {
    name: 'Rust',
    folder: 'rust',
    build: ['cargo', 'build', '--quiet'],
    run: [join(buildFolder, 'rust/debug/conformance')],
    environment: { CARGO_TARGET_DIR: join(buildFolder, 'rust') },
    needs: { cargo: 'install Rust 1.94 or newer' },
    mayLack: ['presigned'],
  },
}

/** What it needs and does not find, in one line; undefined if nothing is missing. */
export function missingFor({ needs }: Sdk): string | undefined {
  const missing = Object.entries(needs).find(([path]) => !isThere(path))
  return missing && `${missing[0]} is missing: ${missing[1]}`
}

const isThere = (path: string) =>
  path.startsWith('/')
    ? existsSync(path)
    : (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, path)))

/** Which SDKs ran last, with which versions, and what came of each step. */
export interface LastRun {
  [sdk: string]: { version: string; outcomes: Record<number, string> }
}

export const lastRunFile = join(here, 'last-run.json')

export const readLastRun = (): LastRun => (existsSync(lastRunFile) ? JSON.parse(readFileSync(lastRunFile, 'utf8')) : {})
