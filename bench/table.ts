import { judged, verdictOf } from './bars.ts'
import type { Spread, Summary } from './figures.ts'
import { floorSetup, flowCase } from './parts/flow.ts'
import type { RunRecord } from './record.ts'

/** A part's results, a line for each case: the median, and the lowest and highest where rounds differ. */
export function resultTable(summary: Summary): string {
  const names = [...new Set(Object.values(summary).flatMap((figures) => Object.keys(figures)))]
  const rows = Object.entries(summary).map(([name, figures]) => [
    name,
    ...names.map((figure) => (figures[figure] ? spreadText(figures[figure]) : '')),
  ])
  return alignedTable(['', ...names], rows)
}

/** The bars, and the results of the run. */
export function barTable(record: RunRecord): string | undefined {
  const rows = judged(record).map(({ bar, measured }) => [
    bar.what,
    `${bar.limit} ${bar.bar}`,
    `${bar.wish}`,
    spreadText(measured),
    verdictOf(bar, measured),
  ])
  return rows.length === 0 ? undefined : alignedTable(['what it must show', 'bar', 'wish', 'measured', ''], rows)
}

/** The floor in this run and in the last committed one: it shows how similar the machines are. */
export function floorTable(record: RunRecord, last: RunRecord | undefined): string | undefined {
  if (!record.parts.flow) return undefined
  const figuresOf = (run: RunRecord | undefined, name: string) =>
    ['flows/s', 'server µs'].map((figure) => numberText(run?.parts.flow?.[name]?.[figure]?.median ?? Number.NaN))
  const rows = [1, 32, 256].map((inFlight) => {
    const name = flowCase(floorSetup, inFlight)
    return [name, ...figuresOf(record, name), ...figuresOf(last, name)]
  })
  const then = last ? `in the run of ${last.at.slice(0, 10)} (${last.commit})` : 'in no committed run'
  return alignedTable(['the floor', 'flows/s', 'server µs', `flows/s ${then}`, 'server µs'], rows)
}

function spreadText({ median, min, max }: Spread): string {
  const text = numberText(median)
  const [low, high] = [numberText(min), numberText(max)]
  return low === high ? text : `${text} (${low}–${high})`
}

/** A benchmark has fewer than three significant digits. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return '–'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** As Markdown has tables, in columns for a terminal. */
export function alignedTable(head: string[], rows: string[][]): string {
  const widths = head.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
