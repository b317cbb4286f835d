import type { Value } from './store.ts'

/** A member of the object that is made, and where its value is. */
type Member = readonly [name: string, place: string | number]

/**
 * Compiles a function that makes an object of the members of another one, or of the elements of an array. V8 turns an
 * object that gets more than a dozen members by computed names into a hash table, and a copy of that (`{ ...row }`) costs
 * five times as much. An object literal has its members from the start, so it is a literal that is compiled.
 */
export function compileMaker<From, To>(members: readonly Member[]): (from: From) => To {
  const literal = members.map(([name, place]) => `${JSON.stringify(name)}: from[${JSON.stringify(place)}]`)
  return new Function('from', `return { ${literal.join(', ')} }`) as (from: From) => To
}

export type Row = Record<string, Value>
type RowMaker = (values: readonly Value[]) => Row

/** There are as many as there are different lists of columns in the statements of this program. */
const makers = new Map<string, RowMaker>()

/** Makes a row of its values, in the order of these columns. */
export function rowMaker(columns: readonly string[]): RowMaker {
  const key = columns.join()
  const known = makers.get(key)
  if (known) return known
  const maker = compileMaker<readonly Value[], Row>(columns.map((column, index) => [column, index]))
  makers.set(key, maker)
  return maker
}
