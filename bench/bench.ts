import type { Results } from './figures.ts'
import type { Options } from './options.ts'
import type { Database } from './system/database.ts'
import type { Janitor } from './system/janitor.ts'
import type { Scratch } from './system/scratch.ts'

/** A version of Carillon that is measured. */
export interface Version {
  /** Empty for the working tree; otherwise what `--against` names. */
  label: string
  /** Where its package.json is. */
  root: string
}

/** One run of the benchmarks. */
export interface Bench {
  options: Options
  /** The working tree, and what it is compared with. */
  versions: Version[]
  janitor: Janitor
  scratch: Scratch
  /** The one PostgreSQL of the run, started when it is first asked for; undefined where there is none. */
  database(): Promise<Database | undefined>
  /** Where CPU profiles go; undefined unless they are asked for. */
  profileFolder: string | undefined
}

/** One round of a part: measures each of its cases once. */
type Round = (results: Results) => Promise<void>

/** One subject of the benchmarks. */
export interface Part {
  name: string
  about: string
  /** Makes what all rounds share. */
  open(bench: Bench): Promise<Round>
}

/** What a case of this version is called in the results. */
export const caseName = ({ label }: Version, name: string): string => (label === '' ? name : `${label}: ${name}`)

/** What decides how large things are. */
export interface Sized {
  options: Pick<Options, 'quick'>
}

/** A size in full, and as the quick run has it. */
export const sized = ({ options }: Sized, full: number, quick: number): number => (options.quick ? quick : full)

/** How long one measurement takes, in seconds. */
export const measureSeconds = ({ options }: Bench): number => options.seconds
