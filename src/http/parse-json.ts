import { badRequest } from '../contract/api-error.ts'

/** It skips a byte order mark. */
const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Parses the JSON of a request's body. If a name occurs twice, the last one counts. Throws BadRequest, which names the
 * position of the error but repeats nothing of the text.
 */
export function parseJson(body: Uint8Array): unknown {
  const text = decode(body)
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest(`The request body is not JSON: ${describeBreak(text, findBreak(text))}`)
  }
}

function decode(body: Uint8Array): string {
  try {
    return utf8.decode(body)
  } catch {
    throw badRequest('The request body is not UTF-8: it must be JSON, and not compressed')
  }
}

function describeBreak(text: string, position: number): string {
  const lines = text.slice(0, position).split('\n')
  const verb = position === text.length ? 'ends too early' : 'breaks'
  return `it ${verb} at line ${lines.length}, column ${lines.at(-1)!.length + 1}`
}

const blank = '[ \\t\\n\\r]*'
const plain = '[ !#-[\\]-\\uffff]*'
const string = `"${plain}(?:\\\\(?:["\\\\/bfnrt]|u[0-9A-Fa-f]{4})${plain})*"`
const number = '-?(?:0|[1-9]\\d*)(?:\\.\\d+)?(?:[eE][+-]?\\d+)?'
const token = (pattern: string) => new RegExp(`${blank}${pattern}`, 'y')
const value = token(`(?:\\{${blank}\\}|\\[${blank}\\]|[{[]|${string}|${number}|true|false|null)`)
const name = token(`${string}${blank}:`)
const comma = token(',')
const nothing = token('')
const closers = { '{': token('\\}'), '[': token('\\]') }

/**
 * Returns the index of the first token that JSON does not allow at its position, or the text's length if more should
 * follow. JSON.parse names the position of some errors only, and repeats the text for the others.
 */
export function findBreak(text: string): number {
  const open: (keyof typeof closers)[] = []
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const found = pattern.exec(text)?.[0]
    at += found?.length ?? 0
    return found?.trimStart()
  }
  for (;;) {
    if (open.at(-1) === '{' && take(name) === undefined) break
    const found = take(value)
    if (found === undefined) break
    if (found === '{' || found === '[') {
      open.push(found)
      continue
    }
    while (open.length > 0 && take(closers[open.at(-1)!]) !== undefined) open.pop()
    if (open.length === 0 || take(comma) === undefined) break
  }
  take(nothing)
  return at
}
