import assert from 'node:assert/strict'
import { test } from 'node:test'
import { path } from '../../src/contract/binding.ts'
import { operationsWith } from '../../src/contract/operation.ts'
import { ChimeArn } from '../../src/contract/shapes.ts'
import { createRouter } from '../../src/http/router.ts'

const operation = operationsWith<object>()

/** An operation that is nothing but its route. */
const at = (name: string, http: string) => {
  const labels = [...http.matchAll(/\{(\w+)\}/g)].map(([, label]) => [label, path(ChimeArn)])
  return operation({
    name,
    http,
    input: Object.fromEntries(labels),
    output: {},
    errors: [],
    resources: [],
    allow: () => undefined,
    handle: () => ({}),
  })
}

const route = createRouter([
  at('CreateChannel', 'POST /channels 201'),
  at('SearchChannels', 'POST /channels?operation=search 200'),
  at('ListChannels', 'GET /channels 200'),
  at('ListChannelsModerated', 'GET /channels?scope=moderated 200'),
  at('DescribeChannel', 'GET /channels/{ChannelArn} 200'),
  at('ChannelFlowCallback', 'POST /channels/{ChannelArn}?operation=channel-flow-callback 200'),
  at('GetChannelMessage', 'GET /channels/{ChannelArn}/messages/{MessageId} 200'),
  at('GetMessagingSessionEndpoint', 'GET /endpoints/messaging-session 200'),
])

const arn = 'arn%3Aaws%3Achime%3Aus-east-1%3A111122223333%3Aapp-instance%2FA%2Fchannel%2FC'

const found: [request: string, operation: string, labels?: string[]][] = [
  ['GET /channels', 'ListChannels'],
  ['GET /channels?', 'ListChannels'],
  ['GET /channels?max-results=5', 'ListChannels'],
  ['GET /channels?scope=moderated', 'ListChannelsModerated'],
  ['GET /channels?scope=moderated&app-instance-user-arn=a', 'ListChannelsModerated'],
  ['GET /channels?app-instance-user-arn=a&max-results=5&scope=moderated', 'ListChannelsModerated'],
  ['GET /channels?sc%6Fpe=moder%61ted', 'ListChannelsModerated'],
  ['GET /channels?x=scope=moderated', 'ListChannels'],
  ['GET /channels?microscope=moderated', 'ListChannels'],
  ['GET /channels?%zz=1', 'ListChannels'],
  ['POST /channels', 'CreateChannel'],
  ['POST /channels?operation=search', 'SearchChannels'],
  [`GET /channels/${arn}`, 'DescribeChannel', [arn]],
  [`GET /channels/${arn.toLowerCase()}`, 'DescribeChannel', [arn.toLowerCase()]],
  ['GET /channels/%zz', 'DescribeChannel', ['%zz']],
  ['GET /channels/..a', 'DescribeChannel', ['..a']],
  [`POST /channels/${arn}?operation=channel-flow-callback`, 'ChannelFlowCallback', [arn]],
  [`GET /channels/${arn}/messages/m-1`, 'GetChannelMessage', [arn, 'm-1']],
  ['GET /endpoints/messaging-session', 'GetMessagingSessionEndpoint'],
]
for (const [request, name, labels = []] of found) {
  test(`${request} is ${name}`, () => {
    const [method = '', target = ''] = request.split(' ')
    const match = route(method, target)
    assert.deepEqual([match?.operation.name, match?.labels], [name, labels])
  })
}

const unknown = [
  'PUT /channels',
  'get /channels',
  'HEAD /channels',
  'GET /',
  'GET ',
  'GET *',
  'GET channels',
  'GET http://localhost/channels',
  'GET /channels/',
  'GET //channels',
  `GET /channels/${arn}/`,
  'GET /channels//messages/m-1',
  'GET /channels/./messages/m-1',
  'GET /channels/..',
  'GET /channels/a/messages/..',
  'GET /channels/a/b/messages/m-1',
  'GET /%63hannels',
  'GET /Channels',
  'GET /endpoints',
  'GET /endpoints/other',
  'GET /channels?scope=unheard-of',
  'GET /channels?scope=',
  'GET /channels?scope',
  'GET /channels?scope=%zz',
  'GET /channels?operation=search',
  'GET /channels?scope=moderated&scope=moderated',
  'GET /channels?scope=moderated&operation=search',
  `GET /channels/${arn}?scope=unheard-of`,
  `GET /channels/${arn}/messages/m-1?scope=message-status`,
  `POST /channels/${arn}`,
  `POST /channels/${arn}?operation=Channel-Flow-Callback`,
]
for (const request of unknown) {
  test(`${request} is no operation`, () => {
    const [method = '', target = ''] = request.split(' ')
    assert.equal(route(method, target), undefined)
  })
}

test('a label may be thousands of characters long', () => {
  assert.deepEqual(route('GET', `/channels/${'a'.repeat(20_000)}`)?.labels, ['a'.repeat(20_000)])
})

test('two operations with the same method, path and literal do not start', () => {
  const twins = [at('One', 'GET /a/{ChannelArn} 200'), at('Other', 'GET /a/{MemberArn} 200')]
  assert.throws(() => createRouter(twins), /Other and One have the same method/)
  const literalTwins = [at('One', 'GET /a?scope=b 200'), at('Other', 'GET /a?scope=b 200')]
  assert.throws(() => createRouter(literalTwins), /Other and One have the same method/)
})

test('a label beside a word does not start, since both would answer the same request', () => {
  const [label, word] = [at('One', 'GET /a/{ChannelArn} 200'), at('Other', 'GET /a/b 200')]
  assert.throws(() => createRouter([label, word]), /^Error: b: a label and a word cannot be alternatives in a path/)
  assert.throws(
    () => createRouter([word, label]),
    /^Error: \{ChannelArn\}: a label and a word cannot be alternatives in a path/,
  )
})

test('an operation with a literal that is not looked for does not start', () => {
  assert.throws(() => createRouter([at('One', 'GET /a?kind=b 200')]), /One: a literal query is one of operation, scope/)
})
