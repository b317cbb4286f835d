import type { Operation } from '../contract/operation.ts'
import { splitTarget } from '../signature/canonical.ts'
import { decodePercent, parseQuery, type Query } from './query.ts'

export interface Route<Context> {
  operation: Operation<Context>
  /** In the order of the path's template, percent-encoded as received. */
  labels: string[]
  query: Query
}

/** Returns the operation for a method and a request target, or undefined if there is no such operation. */
export type Router<Context> = (method: string, target: string) => Route<Context> | undefined

/**
 * The query keys that choose among the operations of one method and path. No operation has a member with such a name.
 */
const literalKeys = ['operation', 'scope']

/** Clients sign a path without its dot segments but send it with them; no resource has such a name. */
const notLabels = ['', '.', '..']

/** A node in the tree of paths. Its children are either one label or words. */
interface Segment<Context> {
  fixed: Map<string, Segment<Context>>
  label: Segment<Context> | undefined
  /** The routes of the paths that end here, by method and literal: `GET `, `POST operation=redact`. */
  operations: Map<string, Operation<Context>>
}

/** Throws if two operations have the same method, path and literal query. */
export function createRouter<Context>(operations: readonly Operation<Context>[]): Router<Context> {
  const root = createSegment<Context>()
  for (const operation of operations) add(root, operation)
  return (method, target) => {
    const { path, query: queryText } = splitTarget(target)
    const [start, ...segments] = path.split('/')
    if (start !== '') return undefined
    const labels: string[] = []
    const end = follow(root, segments, labels)
    if (!end) return undefined
    const query = parseQuery(queryText)
    const operation = end.operations.get(`${method} ${literalOf(query)}`)
    return operation && { operation, labels, query }
  }
}

const createSegment = <Context>(): Segment<Context> => ({ fixed: new Map(), label: undefined, operations: new Map() })

function add<Context>(root: Segment<Context>, operation: Operation<Context>): void {
  const { name, method, pathTemplate, literal } = operation
  if (literal && !literalKeys.includes(literal.key)) {
    throw new Error(`${name}: a literal query is one of ${literalKeys.join(', ')}, not '${literal.key}'`)
  }
  const end = pathTemplate.split('/').slice(1).reduce(extend, root)
  const key = `${method} ${literal ? `${literal.key}=${literal.value}` : ''}`
  const other = end.operations.get(key)
  if (other) throw new Error(`${name} and ${other.name} have the same method, path and literal query`)
  end.operations.set(key, operation)
}

function extend<Context>(segment: Segment<Context>, part: string): Segment<Context> {
  const isLabel = part.startsWith('{')
  if (isLabel ? segment.fixed.size > 0 : segment.label)
    throw new Error(`${part}: a label and a word cannot be alternatives in a path`)
  if (isLabel) {
    segment.label ??= createSegment()
    return segment.label
  }
  const next = segment.fixed.get(part) ?? createSegment()
  segment.fixed.set(part, next)
  return next
}

function follow<Context>(root: Segment<Context>, segments: string[], labels: string[]): Segment<Context> | undefined {
  let at: Segment<Context> | undefined = root
  for (const segment of segments) {
    if (at?.label && !notLabels.includes(segment)) {
      labels.push(segment)
      at = at.label
    } else {
      at = at?.fixed.get(segment)
    }
  }
  return at
}

/**
 * Returns `operation=redact`, wherever it is in the query, or an empty text. With an unknown value, or twice, it
 * matches nothing, so that a call is never mistaken for another operation on the same path.
 */
function literalOf(query: Query): string {
  if (query.size === 0) return ''
  return literalKeys.flatMap((key) => query.get(key)?.map((value) => `${key}=${decodePercent(value)}`) ?? []).join('&')
}
