/** The results of one case in one round: numbers by name, with the unit in the name. */
export type Figures = Record<string, number>

/** One figure over all rounds. */
export interface Spread {
  median: number
  min: number
  max: number
  /** Round by round, so that a ratio can be taken within each. */
  values: number[]
}

const median = (values: readonly number[]): number =>
  quantile(
    values.toSorted((a, b) => a - b),
    0.5,
  )

/** The quantile of sorted values, interpolated between two of them. */
export function quantile(sorted: readonly number[], part: number): number {
  if (sorted.length === 0) return Number.NaN
  const position = (sorted.length - 1) * part
  const [below, above] = [sorted[Math.floor(position)], sorted[Math.ceil(position)]] as [number, number]
  return below + (above - below) * (position - Math.floor(position))
}

export function spreadOf(values: number[]): Spread {
  return { median: median(values), min: Math.min(...values), max: Math.max(...values), values }
}

/** The figures of a part, round by round, in the order of the first appearance of its cases. */
export class Results {
  readonly #rounds = new Map<string, Figures[]>()

  add(caseName: string, figures: Figures): void {
    const rounds = this.#rounds.get(caseName) ?? []
    rounds.push(figures)
    this.#rounds.set(caseName, rounds)
  }

  summary(): Summary {
    const cases = [...this.#rounds].map(([name, rounds]) => {
      const names = [...new Set(rounds.flatMap((figures) => Object.keys(figures)))]
      const spreads = names.map((figure) => [figure, spreadOf(rounds.flatMap((figures) => figures[figure] ?? []))])
      return [name, Object.fromEntries(spreads) as Record<string, Spread>] as const
    })
    return Object.fromEntries(cases)
  }
}

/** A part's cases, each with its figures. */
export type Summary = Record<string, Record<string, Spread>>
