import type { Config } from '../config.ts'

/** The region and the host names that signatures must have. */
export const signedFor = ({ region, publicHost }: Config) => ({
  region,
  publicHosts: publicHost === undefined ? [] : [publicHost],
})
