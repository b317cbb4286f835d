import { pipeline } from 'node:stream/promises'
import { ConfigError } from '../config.ts'
import { systemClock } from '../runtime/clock.ts'
import { type AuditPosition, type AuditRow, listAudit, positionOf } from '../store/audit.ts'
import type { Reader } from '../store/store.ts'
import { readDuration } from './duration.ts'
import { takeFlags } from './own-flags.ts'
import { withStore } from './with-store.ts'

/** The log is read and printed in pages of so many rows. */
const pageSize = 500

/** `carillon audit`: what operators did, the oldest first. The server of the store may be running. */
export async function audit(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { flags, others } = takeFlags(args, { '--since': 'value', '--json': 'no value' })
  const since = flags['--since']
  const sinceMs = since === undefined ? 0 : timeOf(since, systemClock.now())
  return withStore(others, environment, async (store) => {
    await print(linesOf(store.read, sinceMs, flags['--json'] === undefined ? asText : asJson))
    return 0
  })
}

async function* linesOf(read: Reader, sinceMs: number, write: (row: AuditRow) => string): AsyncGenerator<string> {
  for (let after: AuditPosition | undefined = [sinceMs, 0]; after; ) {
    const page: AuditRow[] = await listAudit(read, { after, rowsMax: pageSize })
    if (page.length > 0) yield `${page.map(write).join('\n')}\n`
    after = page.length === pageSize ? positionOf(page.at(-1)!) : undefined
  }
}

/** As fast as it is read. Resolves early if the reader, such as `head`, wants no more. */
async function print(lines: AsyncGenerator<string>): Promise<void> {
  try {
    await pipeline(lines, process.stdout, { end: false })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPIPE')) throw error
  }
}

/** A time, or how long ago. */
function timeOf(text: string, nowMs: number): number {
  const ago = readDuration(text, ['m', 'h', 'd'])
  if (ago !== undefined) return nowMs - ago
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new ConfigError(['--since must be a number with m, h or d, such as 2d, or a time such as 2026-11-28T10:00:00Z'])
}

/** What could end a line, move the cursor or turn the direction of the text, and is not escaped by JSON already. */
const controls = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g

const escaped = (value: unknown) =>
  JSON.stringify(value).replace(controls, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** A text without spaces and quotes stands as it is. */
const plain = (value: unknown) => (typeof value === 'string' && /^[\w.:/@-]+$/.test(value) ? value : escaped(value))

/** One row as one line of JSON. */
export const asJson = (row: AuditRow): string =>
  escaped({
    time: new Date(row.at).toISOString(),
    accessKeyId: row.access_key_id,
    ...(row.key_name !== null && { keyName: row.key_name }),
    action: row.action,
    facts: JSON.parse(row.facts_json),
    ...(row.address !== null && { address: row.address }),
    ...(row.request_id !== null && { requestId: row.request_id }),
  })

/** The same for people. */
export function asText(row: AuditRow): string {
  const name = row.key_name === null ? undefined : escaped(row.key_name)
  const facts = Object.entries(JSON.parse(row.facts_json) as object).map(
    ([member, value]) => `${plain(member)}=${plain(value)}`,
  )
  const time = new Date(row.at).toISOString()
  return [time, row.access_key_id, name, row.address, row.action, ...facts].filter((part) => part != null).join('  ')
}
