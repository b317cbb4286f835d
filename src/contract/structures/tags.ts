import Type, { type Static } from 'typebox'
import { TagKey, TagValue } from '../shapes.ts'

export const Tag = Type.Object({ Key: TagKey, Value: TagValue })
export const TagList = Type.Array(Tag, { minItems: 1, maxItems: 50 })
/** As it is returned: a resource may have none. */
export const ListedTagList = Type.Array(Tag, { maxItems: 50 })
export const TagKeyList = Type.Array(TagKey, { minItems: 1, maxItems: 50 })

export type Tag = Static<typeof Tag>
