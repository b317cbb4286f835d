import { optional, query } from '../../contract/binding.ts'
import { ChimeArn } from '../../contract/shapes.ts'
import { ListedTagList } from '../../contract/structures/tags.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { listTags } from './tag.ts'
import { requireTagged } from './tagged-resource.ts'

/** In the order of the keys. */
export const ListTagsForResource = operation({
  name: 'ListTagsForResource',
  http: 'GET /tags 200',
  input: { ResourceARN: query('arn', ChimeArn) },
  output: { Tags: optional(ListedTagList) },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['ResourceARN'],
  allow: byCredentialsAlone,
  async handle({ ResourceARN }, { read }) {
    await requireTagged(read, ResourceARN)
    return { Tags: await listTags(read, ResourceARN) }
  },
})
