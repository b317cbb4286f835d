import type { Store, Value } from '../../src/store/store.ts'

/**
 * Has every second read of a PostgreSQL share its statement with another of the same text, as under load, so that the
 * tests of a server see whether each read of the server brings the same rows then.
 */
export function withDecoyReads(store: Store): Store {
  const { read } = store
  const all = read.all.bind(read)
  let reads = 0
  read.all = <Row>(sql: string, ...values: Value[]): Promise<Row[]> => {
    const rows = all<Row>(sql, ...values)
    reads += 1
    // The result of the decoy, perhaps an error, does not matter.
    if (reads % 2 === 0) all(sql, ...values.map(decoyOf)).catch(() => {})
    return rows
  }
  return store
}

const decoyOf = (value: Value): Value =>
  value === null ? null : typeof value === 'number' ? value + 1 : `${value} of a decoy`
