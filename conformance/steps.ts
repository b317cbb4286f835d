import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A step of the table that all programs read. */
export interface Step {
  number: number
  name: string
  /** What the program does. */
  text: string
  /** What its line must have. */
  expected: Record<string, unknown>
}

const table = readFileSync(join(import.meta.dirname, 'steps.tsv'), 'utf8')

export const steps: Step[] = table
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => {
    const [number, name = '', text = '', expected = ''] = line.split('\t')
    return { number: Number(number), name, text, expected: JSON.parse(expected) }
  })

/** What a program has printed about a step. */
export type Line = { step: number; lacks?: string } & Record<string, unknown>
