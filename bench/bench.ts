import type { Results } from './figures.ts'
import type { Options } from './options.ts'
import type { Database } from './system/database.ts'
import type { Janitor } from './system/janitor.ts'
import type { Scratch } from './system/scratch.ts'

/** A version of Carillon that is measured. */
export interface Version {
  /** Empty for the working tree; otherwise the version that `--against` names. */
  label: string
  /** The folder of its package.json. */
  root: string
}

/** One run of the benchmarks. */
export interface Bench {
  options: Options
  /** The working tree, and the version for comparison. */
  versions: Version[]
  janitor: Janitor
  scratch: Scratch
  /** The one PostgreSQL of the run, started on demand; undefined if there is none. */
  database(): Promise<Database | undefined>
  /** The folder for CPU profiles; undefined without `--profile`. */
  profileFolder: string | undefined
}

/** One round of a part: measures each of its cases once. */
type Round = (results: Results) => Promise<void>

/** One subject of the benchmarks. */
export interface Part {
  name: string
  about: string
  /** Creates the data that all rounds share. */
  open(bench: Bench): Promise<Round>
}

/** The name of a case of this version in the results. */
export const caseName = ({ label }: Version, name: string): string => (label === '' ? name : `${label}: ${name}`)

/** The options that decide sizes. */
export interface Sized {
  options: Pick<Options, 'quick'>
}

/** A full size, or that of the quick run. */
export const sized = ({ options }: Sized, full: number, quick: number): number => (options.quick ? quick : full)

/** How long one measurement takes, in seconds. */
export const measureSeconds = ({ options }: Bench): number => options.seconds
