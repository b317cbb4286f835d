import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { ApiError } from '../../src/contract/api-error.ts'
import { apiFailure, type OutgoingResponse, rejected, unknownOperation } from '../../src/http/outgoing-response.ts'
import {
  expiredToken,
  incomplete,
  invalid,
  missingAuthenticationToken,
  unrecognizedClient,
} from '../../src/signature/rejection.ts'

const root = join(import.meta.dirname, '../..')
const page = await readFile(join(root, 'docs/compatibility.md'), 'utf8')

/** The rows of the tables below a heading, up to the next one of its level. */
function rowsBelow(heading: string): string[][] {
  const level = heading.indexOf(' ')
  const [, section = ''] = page.split(`\n${heading}\n`)
  const [text = ''] = section.split(new RegExp(`\n#{1,${level}} `))
  const lines = text.match(/^\| .*\|$/gm) ?? []
  assert.ok(lines.length > 1, `there is no table below ${heading}`)
  return lines.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

test('the clients that the tests run are named with the versions that are installed', async () => {
  const rows = rowsBelow('## Clients').filter(([client]) => client?.startsWith('`'))
  assert.equal(rows.length, 3)
  for (const [client = '', version] of rows) {
    const manifest = await readFile(join(root, 'node_modules', client.replaceAll('`', ''), 'package.json'), 'utf8')
    assert.equal(version, JSON.parse(manifest).version, `${client}: run the tests, then name the version that was run`)
  }
})

test('the errors are sent with the status that stands before them', () => {
  const signature = [
    missingAuthenticationToken,
    incomplete(''),
    invalid('', ''),
    unrecognizedClient('', ''),
    expiredToken(''),
  ]
  const codes = [
    'BadRequest',
    'Unauthorized',
    'Forbidden',
    'AccessDenied',
    'Throttled',
    'ServiceFailure',
    'ServiceUnavailable',
  ] as const
  const answers = [
    ...signature.map(rejected),
    unknownOperation('', ''),
    ...codes.map((code) => apiFailure(new ApiError(code, ''))),
  ]
  const sent = answers.map(({ status, headers }: OutgoingResponse) => `${status} \`${headers['x-amzn-ErrorType']}\``)
  const named = rowsBelow('## Errors').flatMap(([, here = '']) => here.match(/\d{3} `\w+`/g) ?? [])
  assert.deepEqual(new Set(named), new Set(sent))
})

test('every choice has a reason and a grade', () => {
  const rows = rowsBelow('## Choices')
  for (const [what, here, why, grade = ''] of rows) {
    assert.ok(what && here && why, `${what} lacks something`)
    assert.ok(['Grade', 'documented', 'seen', 'ours'].includes(grade), `${what}: ${grade} is no grade`)
  }
})

test('the links lead somewhere', () => {
  const links = [...page.matchAll(/\]\(([^)]+)\)/g)].map(([, link = '']) => link)
  assert.ok(links.length > 0)
  for (const link of links) assert.ok(existsSync(join(root, 'docs', link.replace(/#.*/, ''))), link)
})
