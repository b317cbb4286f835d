import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { matrixOf } from '../../conformance/matrix.ts'
import { readLastRun } from '../../conformance/sdks.ts'
import { operations } from '../../src/api/index.ts'
import { operationFacts, resources } from '../contract/facts.ts'
import { sdkOperationInEach } from '../contract/sdk-schemas.ts'

/* The lists of operations in the documents, and the matrix of the conformance run. `npm run docs:lists` writes them. */

const root = join(import.meta.dirname, '../..')
const here = new Set(operations.map(({ name }) => name))
const all = Object.keys(operationFacts)

/** Both services have the three operations for tags, which are one name and one file each. */
const counted = (names: Iterable<string>) =>
  [...names].reduce((count, name) => count + sdkOperationInEach(name).length, 0)
const count = `${counted(here)} of the ${counted(all)} operations`
const names = `${here.size} of ${all.length} names`

const list = (of: string[]) => of.map((name) => `\`${name}\``).join(', ') || '–'
const row = ([resource, { operations: facts }]: [string, { operations: object }]) => {
  const [there, missing] = [true, false].map((is) => Object.keys(facts).filter((name) => here.has(name) === is))
  return `| ${resource} | ${list(there!)} | ${list(missing!)} |`
}
const table = ['| Resource | Operations | Not yet |', '|---|---|---|', ...Object.entries(resources).map(row)].join('\n')

/** Each is in its document once, in the form that the pattern finds. */
const lists: { file: string; pattern: RegExp; text: string }[] = [
  { file: 'README.md', pattern: /\d+ of the \d+ operations \(\d+ of \d+ names\)/g, text: `${count} (${names})` },
  { file: 'CHANGELOG.md', pattern: /\d+ of the \d+ operations/g, text: count },
  { file: 'docs/from-aws.md', pattern: /\d+ of the \d+ operations/g, text: count },
  {
    file: 'docs/compatibility.md',
    pattern: /\d+ of the \d+ operations, \d+ of \d+ names/g,
    text: `${count}, ${names}`,
  },
  {
    file: 'docs/compatibility.md',
    pattern: /(?<=<!-- The last run of `npm run conformance`. -->\n).*?(?=\n<!-- -->)/gs,
    text: matrixOf(readLastRun()),
  },
  { file: 'docs/compatibility.md', pattern: /^\| Resource \| Operations \|.*\n(?:\|.*\n)*\|.*/gm, text: table },
]

export const listedFiles = [...new Set(lists.map(({ file }) => file))]

export const readPage = (file: string): string => readFileSync(join(root, file), 'utf8')
export const pathOf = (file: string): string => join(root, file)

/** The document as it should be. Throws if it has lost the place of a list. */
export function withLists(file: string): string {
  const ofFile = lists.filter((candidate) => candidate.file === file)
  return ofFile.reduce((page, { pattern, text }) => {
    assert.equal(page.match(pattern)?.length, 1, `${file} should have this once: ${pattern}`)
    return page.replace(pattern, () => text)
  }, readPage(file))
}
