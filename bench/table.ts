import type { Spread, Summary } from './figures.ts'

/** A part's results, a line for each case: the median, and the lowest and highest where rounds differ. */
export function resultTable(summary: Summary): string {
  const names = [...new Set(Object.values(summary).flatMap((figures) => Object.keys(figures)))]
  const rows = Object.entries(summary).map(([name, figures]) => [
    name,
    ...names.map((figure) => (figures[figure] ? spreadText(figures[figure]) : '')),
  ])
  return alignedTable(['', ...names], rows)
}

function spreadText({ median, min, max }: Spread): string {
  const text = numberText(median)
  const [low, high] = [numberText(min), numberText(max)]
  return low === high ? text : `${text} (${low}–${high})`
}

/** Three digits that mean something are more than a benchmark has. */
export function numberText(value: number): string {
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
