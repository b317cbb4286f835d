import { systemClock } from '../runtime/clock.ts'
import { free } from '../store/steps.ts'
import type { Reader } from '../store/store.ts'
import { listDueWork, listNextWork, readDueWork, subjectOf, type WorkRow } from '../store/work.ts'
import { withStore } from './with-store.ts'

/** Maximum of listed work; the rest is only counted. */
const listedMax = 50
/** Work that has been due for longer is late. */
const lateSeconds = 3_600

/** `carillon work`: the background work that is due, and the next work. The server of the store may be running. */
export async function work(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  return withStore(args, environment, async (store) => {
    const now = (await store.sharedNow?.()) ?? systemClock.now()
    console.log(await describeWork(store.read, now))
    return 0
  })
}

/** The whole text. */
export async function describeWork(read: Reader, now: number): Promise<string> {
  const due = await listDueWork(read, now, listedMax)
  const next = await listNextWork(read, now)
  const counts = await readDueWork(read, now)
  const total = counts.reduce((sum, { due: count }) => sum + count, 0)
  const late = counts.filter(({ oldestSeconds }) => oldestSeconds > lateSeconds)
  const lines = [
    total === 0 ? 'No background work is due.' : `Due: ${total}`,
    ...(await describeEach(read, due, now)),
    ...(total > due.length ? [`  and ${total - due.length} more`] : []),
    ...late.map(({ kind, oldestSeconds }) => `Late: ${kind}, due for ${durationText(oldestSeconds)}`),
    ...(next.length > 0 ? ['Next:', ...(await describeEach(read, next, now))] : []),
  ]
  return lines.join('\n')
}

const describeEach = (read: Reader, rows: WorkRow[], now: number): Promise<string[]> =>
  Promise.all(
    rows.map(async (row) => {
      const since = (now - row.due_at) / 1000
      const when = since >= 0 ? `due for ${durationText(since)}` : `due in ${durationText(-since)}`
      return `  ${row.kind}  ${await subjectOf(read, row)}  ${when}${stateOf(row)}`
    }),
  )

function stateOf({ owner, failure }: WorkRow): string {
  const state = owner === free ? '' : `, node ${owner} does it`
  return failure === null ? state : `${state}, its last piece failed: ${failure}`
}

/** In the largest unit with a value of at least two. */
function durationText(seconds: number): string {
  const units = [
    ['days', 86_400],
    ['hours', 3_600],
    ['minutes', 60],
  ] as const
  const [name, size] = units.find(([, size]) => seconds >= 2 * size) ?? ['seconds', 1]
  return `${Math.floor(seconds / size)} ${name}`
}
