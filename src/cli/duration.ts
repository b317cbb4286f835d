const unitMs = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

export type Unit = keyof typeof unitMs

/** The milliseconds of a text such as `30d`, in one of these units; undefined if it is no such text. */
export function readDuration(text: string, units: readonly Unit[]): number | undefined {
  const [, count, name] = /^(\d{1,6})([a-z])$/.exec(text) ?? []
  const unit = units.find((known) => known === name)
  return unit && Number(count) * unitMs[unit]
}
