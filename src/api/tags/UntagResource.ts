import { ChimeArn } from '../../contract/shapes.ts'
import { TagKeyList } from '../../contract/structures/tags.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { applySettings, readAbsentTags, removeTags } from './tag.ts'
import { lockTagged, taggedKind } from './tagged-resource.ts'

/** Without its `carillon:` tag a setting has its default again, in the same transaction. */
export const UntagResource = operation({
  name: 'UntagResource',
  http: 'POST /tags?operation=untag-resource 204',
  input: { ResourceARN: ChimeArn, TagKeys: TagKeyList },
  output: {},
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ResourceARN'],
  audited: ['TagKeys'],
  allow: byCredentialsAlone,
  async handle({ ResourceARN, TagKeys }, { store }) {
    const { extensions } = taggedKind(ResourceARN)
    const settings = readAbsentTags(TagKeys, extensions)
    return store.transaction(async (transaction) => {
      await lockTagged(transaction, ResourceARN)
      await removeTags(transaction, ResourceARN, TagKeys)
      await applySettings(transaction, ResourceARN, extensions, settings)
      return {}
    }, 'read committed')
  },
})
