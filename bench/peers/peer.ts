import type { FrontInput } from '../floor.ts'
import type { Janitor } from '../system/janitor.ts'
import type { Scratch } from '../system/scratch.ts'
import { bullmq } from './bullmq.ts'
import { restate } from './restate.ts'

/** The server behind a peer's front. */
export interface Backing {
  pid: number
  /** Further options of the front, besides those of every front. */
  input: Omit<BackedInput, keyof FrontInput>
  [Symbol.asyncDispose](): Promise<void>
}

/** The options of a peer's front. */
export interface BackedInput extends FrontInput {
  /** The folder of the peer's installed packages. */
  packages: string
  /** The port of the peer's server, or its ports. */
  port: number
  adminPort?: number
}

/** A queue or an engine for durable execution that is measured beside the flows, as orientation. */
export interface Peer {
  name: string
  /** The program of its front. */
  front: URL
  /** Installed once a run. The output is the folder. */
  install(scratch: Scratch): string
  start(packages: string, folder: string, janitor: Janitor): Promise<Backing>
}

export const peers: readonly Peer[] = [bullmq, restate]
