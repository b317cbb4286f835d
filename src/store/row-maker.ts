import type { Value } from './store.ts'

/** A member of the new object, and the member or index of its value in the source. */
type Member = readonly [name: string, source: string | number]

/**
 * Compiles a function that makes an object from the members of another one, or from the elements of an array. V8 converts
 * an object that gets more than a dozen members by computed names into a hash table, and a copy of that (`{ ...row }`)
 * costs five times as much. An object literal has its members from the start, so the function returns a literal.
 */
export function compileMaker<From, To>(members: readonly Member[]): (from: From) => To {
  const literal = members.map(([name, source]) => `${JSON.stringify(name)}: from[${JSON.stringify(source)}]`)
  return new Function('from', `return { ${literal.join(', ')} }`) as (from: From) => To
}

export type Row = Record<string, Value>
type RowMaker = (values: readonly Value[]) => Row

/** One for each list of columns in the statements of this program. */
const makers = new Map<string, RowMaker>()

/** Returns a function that makes a row from its values, in the order of these columns. */
export function rowMaker(columns: readonly string[]): RowMaker {
  const key = columns.join()
  const known = makers.get(key)
  if (known) return known
  const maker = compileMaker<readonly Value[], Row>(columns.map((column, index) => [column, index]))
  makers.set(key, maker)
  return maker
}
