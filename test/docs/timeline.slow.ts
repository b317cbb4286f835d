import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { tellTimeline } from './timeline-story.ts'

/*
 * The documents show a timeline as `carillon trace` prints it. CARILLON_UPDATE_SNAPSHOTS=1 writes it into them.
 */

const root = join(import.meta.dirname, '../..')
/** In operations.md the whole text; in the README those of its lines that are there. */
const whole = { file: join(root, 'docs/operations.md'), pattern: /(?<=```\n)Message\b[^`]*(?=\n```)/g }
const excerpt = { file: join(root, 'README.md'), pattern: /(?<=```\n) {2}\+0 ms [^`]*(?=\n```)/g }

function blockOf({ file, pattern }: typeof whole): string {
  const [block, ...others] = readFileSync(file, 'utf8').match(pattern) ?? []
  assert.ok(block !== undefined && others.length === 0, `${file} should have one timeline`)
  return block
}

test('the documents show the timeline of a message that met a crash, a duplicate, an edit, a retry, an order and a denial', async () => {
  const told = await tellTimeline()
  if (process.env.CARILLON_UPDATE_SNAPSHOTS) {
    const page = readFileSync(whole.file, 'utf8')
    writeFileSync(
      whole.file,
      page.replace(whole.pattern, () => told),
    )
  }
  assert.equal(blockOf(whole), told, 'write it with CARILLON_UPDATE_SNAPSHOTS=1')
  const lines = told.split('\n')
  const places = blockOf(excerpt)
    .split('\n')
    .map((line) => lines.indexOf(line))
  assert.ok(!places.includes(-1), 'each line of the README is one of the timeline')
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
  )
})
