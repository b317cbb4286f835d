import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { Readiness } from '../../src/admin/readiness.ts'
import {
  descriptorsMin,
  diskBytesLow,
  diskBytesMin,
  memoryBytesMin,
  resourceChecks,
  shortageMs,
} from '../../src/admin/resource-checks.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { type ShortageKind, Shortages } from '../../src/runtime/shortage.ts'
import { ManualClock } from '../support/manual-clock.ts'

type Left = number | 'unknown' | NodeJS.ErrnoException

const errorOf = (code: string): NodeJS.ErrnoException => Object.assign(new Error(code), { code })

function given(left: Left): number | undefined {
  if (left instanceof Error) throw left
  return left === 'unknown' ? undefined : left
}

/** The checks where this much is left. */
function start(left: { descriptors?: number | NodeJS.ErrnoException; memory?: Left; disk?: Left } = {}) {
  const { descriptors: limit = 10_000, memory = 2 ** 33, disk = 2 ** 33 } = left
  const clock = new ManualClock()
  const shortages = new Shortages({ clock, log: silentLog, count: () => {} })
  const descriptors = { limit: () => given(limit) ?? assert.fail(), open: () => 0 }
  const free = { memory: async () => given(memory), disk: async () => given(disk) }
  const { diskSpace, ...needed } = resourceChecks({ clock, shortages, descriptors, folder: '/data', free })
  const readiness = new Readiness({ needed, reported: { 'disk space': diskSpace } }, clock)
  return { clock, shortages, report: () => readiness.report() }
}

const ok = { descriptors: 'ok', memory: 'ok', disk: 'ok', 'disk space': 'ok' }

suite('the resources of a server', () => {
  const low: { [sentence: string]: { left: Parameters<typeof start>[0]; ready: boolean; checks: object } } = {
    'are enough where enough is left, or where the system does not say': {
      left: { memory: 'unknown', disk: 'unknown' },
      ready: true,
      checks: ok,
    },
    'are enough where they may not be read, or where the system cannot say': {
      left: { descriptors: errorOf('EACCES'), memory: errorOf('EACCES'), disk: errorOf('ENOSYS') },
      ready: true,
      checks: ok,
    },
    'are enough where another shortage than their own keeps them from being read': {
      left: { memory: errorOf('EMFILE'), disk: errorOf('ENOMEM') },
      ready: true,
      checks: ok,
    },
    'are enough just at the limits': {
      left: { descriptors: descriptorsMin, memory: memoryBytesMin, disk: diskBytesLow },
      ready: true,
      checks: ok,
    },
    'are too few descriptors': {
      left: { descriptors: descriptorsMin - 1 },
      ready: false,
      checks: { ...ok, descriptors: 'only 15 file descriptors are free' },
    },
    'are no descriptors at all where none is left for the look': {
      left: { descriptors: errorOf('EMFILE') },
      ready: false,
      checks: { ...ok, descriptors: 'only 0 file descriptors are free' },
    },
    'are too little memory': {
      left: { memory: memoryBytesMin - 1 },
      ready: false,
      checks: { ...ok, memory: 'only 31 MB of memory are free' },
    },
    'are a disk that is nearly full: reported, and ready, since writes succeed': {
      left: { disk: diskBytesLow - 1 },
      ready: true,
      checks: { ...ok, 'disk space': "only 63 MB of the data folder's disk are free" },
    },
    'are a full disk': {
      left: { disk: diskBytesMin - 1 },
      ready: false,
      checks: {
        ...ok,
        disk: 'the disk of the data folder is full',
        'disk space': "only 0 MB of the data folder's disk are free",
      },
    },
  }
  for (const [sentence, { left, ready, checks }] of Object.entries(low)) {
    test(sentence, async () => {
      assert.deepEqual(await start(left).report(), { ready, checks })
    })
  }

  for (const kind of ['descriptors', 'memory', 'disk'] satisfies ShortageKind[]) {
    test(`are short of ${kind} for some seconds after the server met that`, async () => {
      const { clock, shortages, report } = start()
      shortages.report(kind, 'E…')
      assert.deepEqual(await report(), { ready: false, checks: { ...ok, [kind]: `the server ran short of ${kind}` } })
      clock.advance(shortageMs)
      assert.deepEqual(await report(), { ready: true, checks: ok })
    })
  }
})
