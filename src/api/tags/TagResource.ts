import { ChimeArn } from '../../contract/shapes.ts'
import { TagList } from '../../contract/structures/tags.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { applySettings, putTags, readExtensionTags } from './tag.ts'
import { lockTagged, taggedKind } from './tagged-resource.ts'

/** A `carillon:` tag takes effect in the transaction that stores it. */
export const TagResource = operation({
  name: 'TagResource',
  http: 'POST /tags?operation=tag-resource 204',
  input: { ResourceARN: ChimeArn, Tags: TagList },
  output: {},
  errors: ['BadRequest', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['ResourceARN'],
  audited: ['Tags'],
  allow: byCredentialsAlone,
  async handle({ ResourceARN, Tags }, { store }) {
    const { extensions } = taggedKind(ResourceARN)
    const settings = readExtensionTags(Tags, extensions)
    return store.transaction(async (transaction) => {
      await lockTagged(transaction, ResourceARN)
      await putTags(transaction, ResourceARN, Tags)
      await applySettings(transaction, ResourceARN, extensions, settings)
      return {}
    }, 'read committed')
  },
})
