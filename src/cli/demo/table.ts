import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

export interface Column {
  title: string
  width: number
  align?: 'right'
}

/** One line of a cell. It has colours only on a terminal with colours and without NO_COLOR. */
export interface Line {
  text: string
  style?: Style
}

/** A table that is printed row by row, each row as high as its highest cell. */
export class Table {
  #columns: Column[]

  constructor(columns: Column[]) {
    this.#columns = columns
  }

  head(): string {
    const titles = this.#columns.map(({ title }): Line[] => [{ text: title, style: 'bold' }])
    return `${this.#rule('┌', '┬', '┐')}\n${this.#cells(titles)}`
  }

  row(cells: Line[][]): string {
    return `${this.#rule('├', '┼', '┤')}\n${this.#cells(cells)}`
  }

  foot(): string {
    return this.#rule('└', '┴', '┘')
  }

  #rule(left: string, middle: string, right: string): string {
    const lines = this.#columns.map(({ width }) => '─'.repeat(width + 2))
    return frame(left + lines.join(middle) + right)
  }

  #cells(cells: Line[][]): string {
    const wrapped = this.#columns.map(({ width }, index) => (cells[index] ?? []).flatMap((line) => wrap(line, width)))
    const height = Math.max(...wrapped.map((lines) => lines.length))
    const bar = frame('│')
    const line = (number: number) => this.#columns.map((column, index) => paint(wrapped[index]?.[number], column))
    return Array.from({ length: height }, (_, number) => `${bar} ${line(number).join(` ${bar} `)} ${bar}`).join('\n')
  }
}

const frame = (text: string) => styleText('dim', text)

function paint({ text, style }: Line = { text: '' }, { width, align }: Column): string {
  const padded = align === 'right' ? text.padStart(width) : text.padEnd(width)
  return style ? styleText(style, padded) : padded
}

/** Wraps at spaces, and within a word only if the word alone is too long. */
function wrap(line: Line, width: number): Line[] {
  const pieces = line.text.matchAll(new RegExp(` ?(.{1,${width}}(?= |$)|.{1,${width}})`, 'gu'))
  return Array.from(pieces, ([, text = '']) => ({ ...line, text }))
}
