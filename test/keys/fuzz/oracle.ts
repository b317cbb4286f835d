import type { SteeredStore } from '../../support/steered-store.ts'
import type { FuzzWorld, House, Zone } from './fuzz-world.ts'
import type { TriedKey } from './tried-keys.ts'

/*
 * Judges by what the responses and the store show, and asks no rule of the server: a response names the zones that its
 * texts are from, and the rows of each zone are compared with those before the calls.
 */

/** The zones whose texts the response shows, and the key may not read. */
export function leaks(text: string, { reads }: TriedKey): Zone[] {
  const shown = new Set([...text.matchAll(/\[\[([^\]]+)\]\]/g)].map(([, zone]) => zone!))
  return [...shown].filter((zone) => !reads.includes(zone))
}

type Row = Record<string, unknown>

/** The rows of each zone. */
type Snapshot = Map<Zone, Set<string>>

export class Oracle {
  readonly #store: SteeredStore
  readonly #houses: readonly House[]
  /** Zones of channels and of access keys: remembered, because rows may outlive the row that shows whose they are. */
  readonly #channels = new Map<unknown, Zone>()
  readonly #keys = new Map<unknown, Zone>()
  readonly #victims = new Map<unknown, Zone>()
  #last: Snapshot = new Map()

  constructor(store: SteeredStore, { houses }: FuzzWorld) {
    this.#store = store
    this.#houses = houses
  }

  async begin(): Promise<void> {
    this.#last = await this.#snapshot()
  }

  /** What has changed since the last look, and this key may not change: descriptions for the report. */
  async trespasses({ writes }: TriedKey): Promise<string[]> {
    const before = this.#last
    this.#last = await this.#snapshot()
    const found: string[] = []
    for (const zone of new Set([...before.keys(), ...this.#last.keys()])) {
      if (writes.includes(zone)) continue
      const [was, is] = [before.get(zone) ?? new Set(), this.#last.get(zone) ?? new Set()]
      for (const row of is) if (!was.has(row)) found.push(`${zone} has: ${row}`)
      // A user who may delete a channel deletes these rows with it.
      if (zone.endsWith('signature') || zone.endsWith('tags')) continue
      for (const row of was) if (!is.has(row)) found.push(`${zone} had: ${row}`)
    }
    return found
  }

  async #snapshot(): Promise<Snapshot> {
    const snapshot: Snapshot = new Map()
    const add = (zone: Zone | undefined, table: string, row: Row) => {
      if (zone === undefined) return
      const rows = snapshot.get(zone) ?? new Set()
      snapshot.set(zone, rows.add(`${table} ${JSON.stringify(row)}`))
    }
    await this.#addPlain(add)
    await this.#addKeys(add)
    await this.#addChannels(add)
    return snapshot
  }

  #all(table: string): Promise<Row[]> {
    return this.#store.read.all<Row>(`SELECT * FROM ${table}`)
  }

  async #addPlain(add: Add): Promise<void> {
    for (const [table, column, part] of [
      ['app_instance', 'app_instance_arn', 'instance'],
      ['app_instance_admin', 'app_instance_arn', 'instance'],
      ['retention', 'app_instance_arn', 'instance'],
      ['tag', 'resource_arn', 'tags'],
      ['channel_flow', 'app_instance_arn', 'flows'],
    ] as const) {
      for (const row of await this.#all(table)) add(this.#zoneOf(row[column], part) ?? 'server', table, row)
    }
    for (const { memberships: _, ...row } of await this.#all('app_instance_user')) {
      add(this.#zoneOf(row.app_instance_arn, 'people'), 'app_instance_user', row)
      const house = this.#houses.find(({ bob }) => bob === row.app_instance_user_arn)
      if (house) {
        for (const name of [row.user_id, house.bob]) this.#victims.set(name, `${house.name}:bob's signature`)
      }
    }
  }

  async #addKeys(add: Add): Promise<void> {
    for (const row of await this.#all('access_key')) {
      this.#keys.set(row.access_key_id, this.#zoneOf(row.subject_arn, 'keys') ?? 'server')
      add(this.#keys.get(row.access_key_id), 'access_key', row)
    }
    const zoneOfKey = (id: unknown) => this.#keys.get(id) ?? this.#zoneOf(id, 'keys') ?? 'server'
    for (const row of await this.#all('suspended_key')) add(zoneOfKey(row.access_key_id), 'suspended_key', row)
    for (const row of await this.#all('paused_function')) add('server', 'paused_function', row)
    for (const row of await this.#all('revocation')) add(zoneOfKey(row.subject), 'revocation', row)
  }

  async #addChannels(add: Add): Promise<void> {
    for (const row of await this.#all('channel')) this.#note(row)
    for (const table of [
      'channel',
      'channel_head',
      'channel_log',
      'channel_membership',
      'channel_moderator',
      'channel_ban',
      'channel_message',
      'flow_run',
      'flow_step',
    ]) {
      // Rejected callbacks are written within a second: then another key may have its batch.
      for (const { rejected_callbacks: _, ...row } of await this.#all(table)) {
        add(this.#channels.get(row.channel_id), table, row)
        this.#addSignature(add, table, row)
      }
    }
  }

  #note({ channel_id, app_instance_arn, channel_arn, created_by_arn }: Row): void {
    if (this.#channels.has(channel_id)) return
    const house = this.#houses.find(({ arn }) => arn === app_instance_arn)
    if (!house) return
    const owner = created_by_arn === house.ann ? 'ann' : 'bob'
    const held = house.channels.includes(String(channel_arn)) && /\/held-/.test(String(channel_arn))
    this.#channels.set(channel_id, `${house.name}:${owner}${held ? ' held' : ''}`)
  }

  /** What Bob seems to have done, in any channel. */
  #addSignature(add: Add, table: string, row: Row): void {
    if (table === 'channel_message') add(this.#victims.get(row.sender_id), table, { message_id: row.message_id })
    const { channel_id, member_id, moderator_id, invited_by_arn, created_by_arn, read_marker_at } = row
    const by = { channel_id, member_id, moderator_id, invited_by_arn, created_by_arn }
    if (table !== 'channel') add(this.#victims.get(invited_by_arn ?? created_by_arn), table, by)
    if (table === 'channel_membership' && read_marker_at !== null) {
      add(this.#victims.get(member_id), table, { channel_id, read_marker_at })
    }
  }

  /** Undefined for what belongs to an AppInstance of an earlier world, or to none. */
  #zoneOf(arn: unknown, part: string): Zone | undefined {
    if (typeof arn !== 'string') return undefined
    const house = this.#houses.find((known) => arn === known.arn || arn.startsWith(`${known.arn}/`))
    return house && `${house.name}:${part}`
  }
}

type Add = (zone: Zone | undefined, table: string, row: Row) => void
