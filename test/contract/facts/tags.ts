import type { Operations, Structures } from './notation.ts'

export const operations: Operations = {
  TagResource: {
    http: 'POST /tags?operation=tag-resource 204',
    input: { ResourceARN: 'ChimeArn!', Tags: 'TagList!' },
    output: {},
    errors: ['BadRequest', 'Forbidden', 'ResourceLimitExceeded'],
  },
  UntagResource: {
    http: 'POST /tags?operation=untag-resource 204',
    input: { ResourceARN: 'ChimeArn!', TagKeys: 'TagKeyList!' },
    output: {},
    errors: ['BadRequest', 'Forbidden'],
  },
  ListTagsForResource: {
    http: 'GET /tags 200',
    input: { ResourceARN: 'query arn ChimeArn!' },
    output: { Tags: 'ListedTagList' },
    errors: ['BadRequest', 'Forbidden'],
  },
}

export const structures: Structures = { Tag: { Key: 'TagKey!', Value: 'TagValue!' } }
