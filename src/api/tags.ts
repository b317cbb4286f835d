import { badRequest } from '../contract/api-error.ts'
import type { Tag } from '../contract/structures.ts'
import type { Transaction } from '../store/store.ts'
import { toJsonText } from './json-text.ts'

/** Carillon's extensions ride on tags with this prefix; AWS knows none of them, and its clients can set them. */
const extensionPrefix = 'carillon:'

/** How an extension's value is read; it throws an Error whose message says what would be right. */
export type ExtensionTags = Record<string, (value: string) => unknown>

/** The value of every extension tag, by its key. An unknown one is refused: a misspelt setting must not be silent. */
export function readExtensionTags(tags: readonly Tag[] | undefined, known: ExtensionTags): Map<string, unknown> {
  const values = new Map<string, unknown>()
  for (const { Key, Value } of tags ?? []) {
    if (!Key.startsWith(extensionPrefix)) continue
    const read = known[Key]
    if (!read) {
      const names = Object.keys(known).join(', ') || 'none'
      throw badRequest(
        `Value at 'tags' failed to satisfy constraint: the tag ${Key} is not known here (known: ${names})`,
      )
    }
    values.set(Key, read(Value))
  }
  return values
}

export async function insertTags(
  transaction: Transaction,
  resourceArn: string,
  tags: readonly Tag[] | undefined,
): Promise<void> {
  for (const { Key, Value } of tags ?? []) {
    await transaction.run(
      `INSERT INTO tag VALUES ($1, $2, $3) ON CONFLICT (resource_arn, key) DO UPDATE SET value = excluded.value`,
      resourceArn,
      toJsonText(Key),
      toJsonText(Value),
    )
  }
}
