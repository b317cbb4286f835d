/** The values of each key, percent-encoded as received. */
export type Query = ReadonlyMap<string, readonly string[]>

const empty: Query = new Map()

/** A query without its `?`. A `+` stays a plus, as in signatures; a key that cannot be decoded is unknown anyway. */
export function parseQuery(text: string): Query {
  if (text === '') return empty
  const query = new Map<string, string[]>()
  for (const pair of text.split('&')) {
    const equals = pair.indexOf('=')
    const key = decodePercent(equals === -1 ? pair : pair.slice(0, equals))
    const value = equals === -1 ? '' : pair.slice(equals + 1)
    if (key === undefined) continue
    const values = query.get(key)
    if (values) values.push(value)
    else query.set(key, [value])
  }
  return query
}

/** Undefined if an escape is malformed or its bytes are not UTF-8. */
export function decodePercent(text: string): string | undefined {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}
