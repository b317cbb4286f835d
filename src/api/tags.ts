import { badRequest } from '../contract/api-error.ts'
import type { Tag } from '../contract/structures/tags.ts'
import type { Transaction } from '../store/store.ts'
import { toJsonText } from './json-text.ts'

/** Carillon's extensions ride on tags with this prefix; AWS knows none of them, and its clients can set them. */
const extensionPrefix = 'carillon:'

/** How the value of each extension tag is read, by its key; a reader throws a BadRequest that says what would be right. */
type ExtensionTags = Record<string, (value: string) => unknown>

/** The tags of a resource that knows no extension. Throws a BadRequest for one, or for a key that is there twice. */
export function requirePlainTags(tags: readonly Tag[] | undefined): void {
  readExtensionTags(tags, {})
}

/**
 * The values of the extension tags, by their keys. Throws a BadRequest for a key that is there twice, and for an extension
 * that is not known: a misspelt setting must not be silent.
 */
export function readExtensionTags<Known extends ExtensionTags>(
  tags: readonly Tag[] | undefined = [],
  known: Known,
): { [Key in keyof Known]?: ReturnType<Known[Key]> } {
  requireDistinctKeys(tags)
  const extensions = tags.filter(({ Key }) => Key.startsWith(extensionPrefix))
  const values = extensions.map(({ Key, Value }) => [Key, readerOf(Key, known)(Value)])
  return Object.fromEntries(values)
}

function readerOf(key: string, known: ExtensionTags) {
  const reader = known[key]
  if (reader) return reader
  const names = Object.keys(known).join(', ') || 'none'
  throw badRequest(`Value at 'tags' failed to satisfy constraint: the tag ${key} is not known here (known: ${names})`)
}

function requireDistinctKeys(tags: readonly Tag[]): void {
  if (new Set(tags.map(({ Key }) => Key)).size === tags.length) return
  throw badRequest(
    `1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have a different key in each tag`,
  )
}

/** For a resource that has just been made, with tags whose keys differ. */
export async function insertTags(
  transaction: Transaction,
  resourceArn: string,
  tags: readonly Tag[] | undefined = [],
): Promise<void> {
  for (const { Key, Value } of tags) {
    const key = toJsonText(Key)
    await transaction.insert('tag', { resource_arn: resourceArn, key, value: toJsonText(Value) })
  }
}
