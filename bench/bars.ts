import { flowCase } from './parts/flow.ts'
import type { RunRecord } from './record.ts'
import { alignedTable, numberText } from './table.ts'

export function floorTable({ parts }: RunRecord, last: RunRecord | undefined): string | undefined {
  if (!parts.flow) return undefined
  const rows = [1, 32, 256].map((inFlight) => {
    const name = flowCase('floor', inFlight)
    const figures = (record: RunRecord | undefined) =>
      ['flows/s', 'server µs'].map((figure) => numberText(record?.parts.flow?.[name]?.[figure]?.median ?? Number.NaN))
    return [name, ...figures({ parts } as RunRecord), ...figures(last)]
  })
  const from = last ? `${last.commit}, ${last.at.slice(0, 10)}` : 'no run is committed'
  return alignedTable(['', 'flows/s', 'server µs', `flows/s (${from})`, 'server µs'], rows)
}

export function barTable(_record: RunRecord): string | undefined {
  return undefined
}
