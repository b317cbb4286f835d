import { badRequest } from '../../contract/api-error.ts'
import type { Tag } from '../../contract/structures/tags.ts'
import type { Reader, Transaction } from '../../store/store.ts'
import { fromJsonText, toJsonText } from '../json-text.ts'
import { requireFew } from '../quotas.ts'

interface TagRow {
  resource_arn: string
  key: string
  value: string
}

/**
 * The prefix of tags that configure Carillon's extensions. AWS has none of them, and its clients can set them. A key with
 * capital letters is unknown: it must not look like a setting.
 */
const extensionPrefix = 'carillon:'
export const isExtensionKey = (key: string): boolean => key.toLowerCase().startsWith(extensionPrefix)
/** A prefix that AWS reserves, in upper and lower case (AWS General Reference, "Tagging AWS resources"). */
const reservedPrefix = 'aws:'

/** A setting of a resource in a tag. */
export interface ExtensionTag<Setting> {
  /** Throws a BadRequest that names the valid values. */
  read(text: string): Setting
  /** The value for a resource without the tag. */
  absent: Setting
  /** Applies the setting to the resource, in the transaction that changes the tag. */
  apply(transaction: Transaction, resourceArn: string, setting: Setting): Promise<unknown>
}

/** The extension tags of a kind of resource, by their keys. */
export type ExtensionTags = Record<string, ExtensionTag<unknown>>

type SettingsOf<Known extends ExtensionTags> = { [Key in keyof Known]?: ReturnType<Known[Key]['read']> }

/** Checks the tags of a resource without extensions, like readExtensionTags. */
export function requirePlainTags(tags: readonly Tag[] | undefined): void {
  readExtensionTags(tags, {})
}

/**
 * The settings in the tags, by their keys. Throws a BadRequest for a duplicate key, for a key of AWS, and for an unknown
 * extension: a misspelt setting must not be ignored.
 */
export function readExtensionTags<Known extends ExtensionTags>(
  tags: readonly Tag[] | undefined = [],
  known: Known,
): SettingsOf<Known> {
  const values = new Map(tags.map(({ Key, Value }) => [Key, Value]))
  if (values.size < tags.length) throw invalidTags('tags', 'Member must have a different key in each tag')
  requireTagKeys('tags', [...values.keys()], known)
  const settings = Object.entries(known).flatMap(([key, { read }]) => {
    const value = values.get(key)
    return value === undefined ? [] : [[key, read(value)]]
  })
  return Object.fromEntries(settings)
}

/** The settings after the removal of the tags with these keys. Throws a BadRequest like readExtensionTags. */
export function readAbsentTags<Known extends ExtensionTags>(keys: readonly string[], known: Known): SettingsOf<Known> {
  requireTagKeys('tagKeys', keys, known)
  const absent = Object.entries(known).filter(([key]) => keys.includes(key))
  return Object.fromEntries(absent.map(([key, extension]) => [key, extension.absent])) as SettingsOf<Known>
}

export async function applySettings<Known extends ExtensionTags>(
  transaction: Transaction,
  resourceArn: string,
  known: Known,
  settings: SettingsOf<Known>,
): Promise<void> {
  for (const [key, setting] of Object.entries(settings)) await known[key]?.apply(transaction, resourceArn, setting)
}

function requireTagKeys(member: string, keys: readonly string[], known: ExtensionTags): void {
  const names = Object.keys(known)
  for (const key of keys) {
    if (key.toLowerCase().startsWith(reservedPrefix))
      throw invalidTags(member, `the prefix ${reservedPrefix} is reserved`)
    if (!isExtensionKey(key) || names.includes(key)) continue
    throw invalidTags(member, `the tag ${key} is not known here (known: ${names.join(', ') || 'none'})`)
  }
}

export const invalidTags = (member: string, constraint: string) =>
  badRequest(`1 validation error detected: Value at '${member}' failed to satisfy constraint: ${constraint}`)

/** Sets the tags, whose keys differ; an existing tag gets the new value. */
export async function putTags(
  transaction: Transaction,
  resourceArn: string,
  tags: readonly Tag[] | undefined = [],
): Promise<void> {
  for (const { Key, Value } of tags) {
    await transaction.run(
      `INSERT INTO tag (resource_arn, key, value) VALUES ($1, $2, $3)
       ON CONFLICT (resource_arn, key) DO UPDATE SET value = excluded.value`,
      resourceArn,
      toJsonText(Key),
      toJsonText(Value),
    )
  }
  if (tags.length > 0) await requireFew(transaction, 'tagsPerResource', 'FROM tag WHERE resource_arn = $1', resourceArn)
}

/** Keys that the resource does not have are ignored. */
export async function removeTags(
  transaction: Transaction,
  resourceArn: string,
  keys: readonly string[],
): Promise<void> {
  for (const key of keys) {
    await transaction.run('DELETE FROM tag WHERE resource_arn = $1 AND key = $2', resourceArn, toJsonText(key))
  }
}

/** The tags of a resource, in the order of the keys. */
export async function listTags(read: Reader, resourceArn: string): Promise<Tag[]> {
  const rows = await read.all<TagRow>('SELECT * FROM tag WHERE resource_arn = $1 ORDER BY key', resourceArn)
  return rows.map(tagToWire)
}

const tagToWire = ({ key, value }: TagRow): Tag => ({ Key: fromJsonText(key), Value: fromJsonText(value) })
