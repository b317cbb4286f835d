import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Descriptors } from '../runtime/descriptors.ts'
import { freeDisk, freeMemory } from '../runtime/resources.ts'

/*
 * Limits of the machine with which the server works today and may not tomorrow. Unlike the checks of /readyz, which say that
 * something is short now, they are for `carillon doctor`: an operator has time to raise them.
 */

/** Fewer are used up by some thousand connections. */
const openFilesMin = 4_096
/** Each folder below the functions folder takes one, and other programs of the user take theirs. */
const watchesMin = 8_192
/** Each process that watches files takes one. */
const instancesMin = 128
const memoryBytesMin = 256 * 2 ** 20
const diskBytesMin = 2 ** 30

interface LowLimit {
  name: string
  problem: string
  remedy: string
}

interface MachineParts {
  descriptors: Pick<Descriptors, 'limit'>
  /** The data folder. */
  folder: string
  /** The folder of the limits on inotify, which only Linux has. */
  inotify?: string
  /** The bytes that are left, undefined if that is unknown. */
  free?: { memory(): Promise<number | undefined>; disk(folder: string): Promise<number | undefined> }
}

/** The limits that are too low. One that the system does not show is none. */
export async function lowLimits({
  descriptors,
  folder,
  inotify = '/proc/sys/fs/inotify',
  free = { memory: freeMemory, disk: freeDisk },
}: MachineParts): Promise<LowLimit[]> {
  const sysctl = (name: string) => readFile(join(inotify, name), 'utf8').then(Number)
  const low = (name: string, min: number, unit: string, read: () => Promise<number | undefined>, remedy: string) =>
    read()
      .catch(() => undefined)
      .then((value): LowLimit[] =>
        value === undefined || Number.isNaN(value) || value >= min
          ? []
          : [{ name, problem: `${inUnit(value, unit)}, and ${inUnit(min, unit)} are recommended`, remedy }],
      )
  const found = await Promise.all([
    low(
      'open files',
      openFilesMin,
      '',
      async () => descriptors.limit(),
      'raise the limit: LimitNOFILE=65536 in systemd',
    ),
    low('inotify watches', watchesMin, '', () => sysctl('max_user_watches'), raise('max_user_watches', 65_536)),
    low('inotify instances', instancesMin, '', () => sysctl('max_user_instances'), raise('max_user_instances', 512)),
    low('memory', memoryBytesMin, 'MB free', free.memory, 'end other programs, or give the machine more memory'),
    low('disk space', diskBytesMin, 'MB free', () => free.disk(folder), `free space on the disk of ${folder}`),
  ])
  return found.flat()
}

const inUnit = (value: number, unit: string) => (unit === '' ? `${value}` : `${Math.floor(value / 2 ** 20)} ${unit}`)

const raise = (name: string, to: number) => `sysctl -w fs.inotify.${name}=${to}`
