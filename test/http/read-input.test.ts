import assert from 'node:assert/strict'
import { test } from 'node:test'
import Type from 'typebox'
import { path } from '../../src/contract/binding.ts'
import type { Operation } from '../../src/contract/operation.ts'
import { ChimeArn } from '../../src/contract/shapes.ts'
import { parseQuery } from '../../src/http/query.ts'
import { createInputReader, type RequestParts } from '../../src/http/read-input.ts'
import { CreateBell, DeleteBell, DescribeBell, ListBells, RingBell } from './listening.ts'

const nothing: RequestParts = { labels: [], query: new Map(), headers: {}, body: Buffer.alloc(0) }

const read = (operation: Operation<never>, parts: Partial<RequestParts>) =>
  createInputReader(operation)({ ...nothing, ...parts })
const readQuery = (query: string) => read(ListBells, { query: parseQuery(query) })
const readBody = (body: unknown) => read(CreateBell, { body: Buffer.from(JSON.stringify(body)) })

test('labels are decoded one by one, by their place in the path', () => {
  const labels = ['arn%3Aaws%2fa%2Fb+c', '%C3%BC%20%F0%9F%98%80%252F']
  assert.deepEqual(read(DeleteBell, { labels }), { BellArn: 'arn:aws/a/b+c', HangerArn: 'ü 😀%2F' })
})

for (const label of ['%', '%2', '%zz', '%ff', '%C3', 'a%ED%A0%80']) {
  test(`the label ${label} is refused by the member's name`, () =>
    assert.throws(() => read(RingBell, { labels: [label] }), {
      code: 'BadRequest',
      message: 'The path has a malformed percent-encoding in BellArn',
    }))
}

test('the bearer is taken from its header as it came', () => {
  const headers = { 'x-amz-chime-bearer': 'arn:aws:chime::ü', authorization: 'x' }
  assert.deepEqual(read(DescribeBell, { labels: ['b'], headers }), { BellArn: 'b', ChimeBearer: 'arn:aws:chime::ü' })
  assert.deepEqual(read(DescribeBell, { labels: ['b'] }), { BellArn: 'b' })
})

const queries: [query: string, input: object][] = [
  ['', {}],
  ['next-token=a%2Bb+c%3D%3D', { NextToken: 'a+b+c==' }],
  ['next-token=a=b', { NextToken: 'a=b' }],
  ['next-token', { NextToken: '' }],
  ['next%2Dtoken=x', { NextToken: 'x' }],
  ['NextToken=x&nexttoken=y&unknown=%zz&unknown=1', {}],
  ['network-type=IPV4_ONLY', { NetworkType: 'IPV4_ONLY' }],
  ['max-results=5', { MaxResults: 5 }],
  ['max-results=-5', { MaxResults: -5 }],
  ['max-results=005', { MaxResults: 5 }],
  ['max-results=100000000000000000000', { MaxResults: 1e20 }],
  ['max-results=', { MaxResults: '' }],
  ['max-results=5.0', { MaxResults: '5.0' }],
  ['max-results=1e1', { MaxResults: '1e1' }],
  ['max-results=0x10', { MaxResults: '0x10' }],
  ['max-results=%205', { MaxResults: ' 5' }],
  ['not-before=2023-07-22T04:26:40.456Z', { NotBefore: 1690000000.456 }],
  ['not-before=2023-07-22T04%3A26%3A40.456000Z', { NotBefore: 1690000000.456 }],
  ['not-before=2023-07-22T04:26:40Z', { NotBefore: 1690000000 }],
  ['not-before=2023-07-22T06:26:40%2B02:00', { NotBefore: 1690000000 }],
  ['not-before=2023-07-22T06:26:40+02:00', { NotBefore: 1690000000 }],
  ['not-before=1690000000', { NotBefore: 1690000000 }],
  ['not-before=1690000000.456', { NotBefore: 1690000000.456 }],
  ['not-before=0', { NotBefore: 0 }],
  ['not-before=2023-13-22T04:26:40Z', { NotBefore: '2023-13-22T04:26:40Z' }],
  ['not-before=2023-07-22', { NotBefore: '2023-07-22' }],
  ['not-before=yesterday', { NotBefore: 'yesterday' }],
  ['not-before=July+22', { NotBefore: 'July+22' }],
]
for (const [query, input] of queries) {
  test(`the query '${query}' is ${JSON.stringify(input)}`, () => assert.deepEqual(readQuery(query), input))
}

test('a known key that comes twice is refused, since no signature tells which one was first', () =>
  assert.throws(() => readQuery('max-results=5&max-results=6'), {
    code: 'BadRequest',
    message: 'The query has max-results more than once',
  }))

test('a malformed escape in a known key is refused', () =>
  assert.throws(() => readQuery('next-token=%zz'), {
    code: 'BadRequest',
    message: 'The query has a malformed percent-encoding in next-token',
  }))

const bodies: [body: unknown, input: object][] = [
  [
    { Name: 'a', Metadata: '' },
    { Name: 'a', Metadata: '' },
  ],
  [{ Name: 'a', Metadata: null, Owner: null, Tags: null }, { Name: 'a' }],
  [{ Name: null }, {}],
  [{ Name: 'a', name: 'b', Unknown: { Deep: 1 } }, { Name: 'a' }],
  [{ Owner: { Arn: null, Name: 'n', Unknown: 1 } }, { Owner: { Name: 'n' } }],
  [{ Owner: { Arn: null } }, { Owner: {} }],
  [
    { Owner: 'text', Tags: { 0: 1 }, Attributes: [1] },
    { Owner: 'text', Tags: { 0: 1 }, Attributes: [1] },
  ],
  [{ Tags: [{ Key: 'k', Value: null, Other: 1 }] }, { Tags: [{ Key: 'k' }] }],
  [{ Tags: [null, 'x', []] }, { Tags: [null, 'x', []] }],
  [{ Tones: ['c', null] }, { Tones: ['c', null] }],
  [{ Attributes: { a: { StringValues: null }, b: null } }, { Attributes: { a: {}, b: null } }],
]
for (const [body, input] of bodies) {
  test(`the body ${JSON.stringify(body)} is ${JSON.stringify(input)}`, () => assert.deepEqual(readBody(body), input))
}

test('an empty body has no members', () => assert.deepEqual(read(CreateBell, {}), {}))

for (const body of ['[]', '"x"', 'null', '1', 'true', '[{"Name":"a"}]']) {
  test(`the body ${body} is refused`, () =>
    assert.throws(() => read(CreateBell, { body: Buffer.from(body) }), {
      code: 'BadRequest',
      message: 'The request body must be a JSON object',
    }))
}

for (const body of ['', '{}', '{"BellArn":"other"}', '[]', 'not JSON']) {
  test(`without body members the body '${body}' is not looked at`, () =>
    assert.deepEqual(read(RingBell, { labels: ['b'], body: Buffer.from(body) }), { BellArn: 'b' }))
}

test('__proto__ is nothing special: unknown as a member, a name in a map', () => {
  const body = '{"__proto__":{"Name":"x"},"Owner":{"__proto__":{"Arn":"x"}},"Attributes":{"__proto__":{}}}'
  const input = read(CreateBell, { body: Buffer.from(body) }) as { Attributes: object; Owner: { Arn?: string } }
  assert.deepEqual(Object.keys(input), ['Owner', 'Attributes'])
  assert.equal(input.Owner.Arn, undefined)
  assert.deepEqual(Object.keys(input.Attributes), ['__proto__'])
  assert.equal(Object.getPrototypeOf(input.Attributes), Object.prototype)
  assert.equal((Object.prototype as { Name?: string }).Name, undefined)
})

test('ten thousand levels in an unknown, a known and a mapped member do no harm', () => {
  const deep = '['.repeat(10_000) + ']'.repeat(10_000)
  const body = Buffer.from(`{"Unknown":${deep},"Owner":${deep},"Attributes":{"a":${deep}}}`)
  const input = read(CreateBell, { body })
  assert.equal(CreateBell.inputValidator.Check(input), false)
})

test('an operation whose path and members do not fit together does not start', () => {
  const [name, pathTemplate] = ['RingBell', '/bells/{BellArn}']
  const unbound = { name, pathTemplate, input: Type.Object({}) }
  assert.throws(() => createInputReader(unbound), /RingBell: the labels of \/bells\/\{BellArn\} are not/)
  const homeless = { name, pathTemplate: '/bells', input: Type.Object({ BellArn: path(ChimeArn) }) }
  assert.throws(() => createInputReader(homeless), /RingBell: the labels of \/bells are not .*BellArn/)
})
