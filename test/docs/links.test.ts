import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { suite, test } from 'node:test'
import { helpText } from '../../src/cli/help.ts'

const root = join(import.meta.dirname, '../..')
const pages = globSync(['*.md', 'docs/**/*.md', 'examples/**/*.md'], { cwd: root }).sort()

/** The page without code blocks, because a bracket is no link there. */
const prose = (page: string) => readFileSync(join(root, page), 'utf8').replaceAll(/^```.*?^```$/gms, '')

/** The anchors of the headings, by the rules of a forge. */
const anchorsOf = (page: string) =>
  [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )

suite('the links of the documents lead somewhere', () => {
  assert.ok(pages.length > 20)
  for (const page of pages) {
    test(page, () => {
      for (const [, link = ''] of prose(page).matchAll(/\]\(([^)]+)\)/g)) {
        if (/^https?:/.test(link)) continue
        const [path = '', anchor] = link.split('#')
        const target = path === '' ? page : relative(root, join(root, dirname(page), path))
        assert.ok(existsSync(join(root, target)), `there is no ${link}`)
        if (anchor !== undefined)
          assert.ok(anchorsOf(target).includes(anchor), `${target} has no heading for #${anchor}`)
      }
    })
  }
})

test('every command in the documents is one that there is, in the spelling that works everywhere', () => {
  const known = [...helpText().matchAll(/^ {2}npx carillon (\w+)/gm)].map(([, name = '']) => name)
  assert.ok(known.includes('serve'))
  // Decision records and the changelog describe the past.
  const texts = pages
    .filter((page) => !/^CHANGELOG|\/adr\//.test(page))
    .map((page) => readFileSync(join(root, page), 'utf8'))
  const spelt = texts.flatMap((text) => [...text.matchAll(/(npx )?\bcarillon (?=(\w+))/g)])
  const commands = spelt.filter(([, npx, name = '']) => npx || known.includes(name))
  assert.ok(commands.length > 10)
  for (const [, npx = '', name = ''] of commands) {
    assert.ok(npx && known.includes(name), `"${npx}carillon ${name}" is in the documents`)
  }
})
