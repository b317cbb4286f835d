import assert from 'node:assert/strict'
import { relative } from 'node:path'
import { operations } from '../../src/api/index.ts'
import { bindingOf } from '../../src/contract/binding.ts'

/** The operations that are called on behalf of a user. */
export const bearerOperations = operations.filter(({ input }) =>
  Object.values(input.properties).some((schema) => bindingOf(schema)?.in === 'header'),
)

/** Fails unless the table in this file has a row for each of them. */
export function assertRowForEach(names: Iterable<string>, file: string): void {
  assert.ok(bearerOperations.length > 0, 'no operation has a bearer, so nothing was compared')
  const table = `the table in ${relative(process.cwd(), file)}`
  const rows = new Set(names)
  const known = bearerOperations.map(({ name }) => name)
  const missing = known.filter((name) => !rows.has(name))
  assert.deepEqual(missing, [], `these operations have a bearer: add a row for each to ${table}`)
  const unknown = [...rows].filter((name) => !known.includes(name))
  assert.deepEqual(unknown, [], `no operation with a bearer has these names: mend them in ${table}`)
}
