import { gzipSync } from 'node:zlib'
import {
  badRequest,
  type Case,
  creating,
  describing,
  describingAs,
  describingAt,
  fine,
  forbidden,
  get,
  getting,
  headTooLarge,
  incomplete,
  invalid,
  invalidBearer,
  listing,
  mismatch,
  noOperation,
  notAnObject,
  notHttp,
  notJson,
  notOneHost,
  notUtf8,
  refused,
  row,
  several,
  tooLarge,
  updating,
  violation,
  type World,
} from './corpus-case.ts'
import type { Call } from './wire.ts'

/*
 * What SDKs send seldom or never, and the one right answer to it. The calls go over raw sockets to a whole server: see
 * corpus.test.ts.
 */

const body = '{"Name":"Lobby"}'
const status = /^\{"Status":\{"Value":"SENT"\}\}$/
const flows = fine(/^\{"ChannelFlows":\[\]\}$/)
const lower = ({ appInstanceArn }: World) => `app-instance-arn=${encodeURIComponent(appInstanceArn).toLowerCase()}`
const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
const manyHeaders = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [`x-many-${index}`, `${index}`]))
const signing = (headers: Record<string, string>, unusual: Partial<Call> = {}) => describing({ ...unusual, headers })

// What becomes of a head on its way.
const chunked = (head: string) => head.replace(/content-length: \d+/, 'transfer-encoding: chunked')
const twice = (header: string) => (head: string) =>
  head.replace(new RegExp(`^${header}: .*\r\n`, 'm'), (line) => line + line)
const without = (header: string) => (head: string) => head.replace(new RegExp(`^${header}: .*\r\n`, 'm'), '')
const absolute = (other?: string) => (head: string) =>
  head.replace(/(?<= )\/(?=.* HTTP)/, () => `http://${other ?? /^host: (.*)\r$/m.exec(head)![1]}/`)
const capitals = (head: string) => head.replace(/^[\w-]+(?=: )/gm, (name) => name.toUpperCase())
const signedCapitals = (head: string) =>
  head.replace(/(SignedHeaders=)([^,]*)/, (_, label, names) => label + names.toUpperCase())

export const corpus: Record<string, Case[]> = {
  'a path': [
    row(
      'with lower-case escapes',
      describingAt(({ channel }) => channel.toLowerCase()),
      fine(),
    ),
    row(
      'with bare colons',
      describingAt(({ channel }) => channel.replaceAll('%3A', ':')),
      fine(),
    ),
    row(
      'with escapes that nothing needs',
      describingAt(({ channel }) => channel.replace('arn', '%61rn')),
      fine(),
    ),
    row(
      'with bare slashes in an ARN',
      describingAt(({ channelArn }) => `/channels/${channelArn}`),
      noOperation,
    ),
    row(
      'with a slash at its end',
      describingAt(({ channel }) => `${channel}/`),
      noOperation,
    ),
    row(
      'with two slashes at its start',
      describingAt(({ channel }) => `/${channel}`),
      noOperation,
    ),
    row(
      'with a dot segment',
      describingAt(({ channel }) => `/.${channel}`),
      noOperation,
    ),
    row(
      'with an escape in a word',
      describingAt(({ channel }) => channel.replace('chan', '%63han')),
      noOperation,
    ),
    row(
      'in capitals',
      describingAt(({ channel }) => channel.replace('channels', 'CHANNELS')),
      noOperation,
    ),
    row('in absolute form', describing({ edit: absolute() }), fine()),
    row(
      'in absolute form, in capitals',
      describing({ edit: (head) => absolute()(head).replace('http', 'HTTP') }),
      fine(),
    ),
    row('in absolute form, of another host', describing({ edit: absolute('localhost') }), noOperation),
    row(
      'with a question mark and nothing behind it',
      describingAt(({ channel }) => `${channel}?`),
      fine(),
    ),
    row('that is *', get('*'), noOperation),
    row('of 100 kB', get(`/channels/${'a'.repeat(100_000)}`), headTooLarge),
    row('with 30 kB of an ARN', get(`/channels/${'a'.repeat(30_000)}`), badRequest(/'channelArn' .* equal to 1600/)),
    row('with half an escape', get('/channels/%zz'), badRequest(/^The path has a malformed .* in ChannelArn$/)),
    row(
      'with bytes that are not UTF-8',
      get('/channels/%ff'),
      badRequest(/^The path has a malformed .* in ChannelArn$/),
    ),
    row(
      'with a line break in an ARN',
      describingAt(({ channel }) => `${channel}%0Ax`),
      violation(/channelArn' .*pattern/),
    ),
    row(
      'with a NUL in an ARN',
      describingAt(({ channel }) => `${channel}%00`),
      forbidden,
    ),
    row('that is no ARN', get('/channels/lobby'), badRequest(/'channelArn' .* regular expression pattern/)),
  ],
  'a query': [
    row('with its literal first', getting('scope=message-status&x=1'), fine(status)),
    row('with its literal last', getting('x=1&scope=message-status'), fine(status)),
    row('with its literal escaped', getting('sc%6fpe=message%2Dstatus'), fine(status)),
    row('with its literal twice', getting('scope=message-status&scope=message-status'), noOperation),
    row('with two literals', getting('scope=message-status&operation=redact'), noOperation),
    row('with an unknown literal', getting('scope=message-text'), noOperation),
    row('with a literal of another method', getting('operation=redact'), noOperation),
    row('that has only unknown keys', getting('x=1&%zz=2&=&&y'), fine(/"Content":"hello"/)),
    row('with lower-case escapes', listing(lower), flows),
    row(
      'with nothing escaped',
      listing(({ appInstanceArn }) => `app-instance-arn=${appInstanceArn}`),
      flows,
    ),
    row(
      'with a parameter twice',
      listing((world) => `${lower(world)}&max-results=5&max-results=5`),
      badRequest(/^The query has max-results more than once$/),
    ),
    row(
      'with half an escape',
      listing(() => 'app-instance-arn=%z'),
      badRequest(/^The query has a malformed .* in app-/),
    ),
    row(
      'without what it needs',
      listing(() => 'x=1'),
      violation(/appInstanceArn' .* must not be null$/),
    ),
    row(
      'with a plus, which stays one',
      listing((world) => `${lower(world)}&next-token=a+b`),
      badRequest(/^The NextToken does not belong to this list/),
    ),
    row(
      'with a number that is none',
      listing((world) => `${lower(world)}&max-results=1e1`),
      violation(/maxResults' .* of type integer$/),
    ),
  ],
  'a method': [
    row('HEAD', describing({ method: 'HEAD' }), { status: 404, type: 'UnknownOperationException' }),
    row('TRACE', describing({ method: 'TRACE' }), noOperation),
    row('PATCH', describing({ method: 'PATCH' }), noOperation),
    row('CONNECT', () => 'CONNECT localhost:443 HTTP/1.1\r\nhost: localhost\r\n\r\n'),
    row('OPTIONS, which nobody signs', describing({ method: 'OPTIONS', unsigned: true }), { status: 204 }),
    row('OPTIONS of *', describing({ method: 'OPTIONS', target: '*', unsigned: true }), { status: 204 }),
    row('that HTTP does not know', () => 'RING / HTTP/1.1\r\nhost: localhost\r\n\r\n', notHttp),
    row('in small letters', () => 'get / HTTP/1.1\r\nhost: localhost\r\n\r\n', notHttp),
    row('HEAD of the page for people', describing({ method: 'HEAD', target: '/', unsigned: true }), { status: 200 }),
    row('GET of the page for people', describing({ target: '/', unsigned: true }), fine(/^<!doctype html>/i)),
  ],
  'a bearer': [
    row(
      'that is absent',
      ({ channel }) => ({ method: 'GET', target: channel }),
      violation(/chimeBearer' .* not be null$/),
    ),
    row(
      'that is empty',
      describingAs(() => ''),
      invalidBearer,
    ),
    row(
      'that is not ASCII',
      describingAs(({ owner }) => `${owner}ü`),
      invalidBearer,
    ),
    row(
      'of 10 kB',
      describingAs(({ owner }) => owner + 'a'.repeat(10_000)),
      invalidBearer,
    ),
    row(
      'that is a channel',
      describingAs(({ channelArn }) => channelArn),
      invalidBearer,
    ),
    row(
      'that is no user yet',
      describingAs(({ owner }) => `${owner}2`),
      invalidBearer,
    ),
    row(
      'of another AppInstance',
      describingAs(({ foreigner }) => foreigner),
      forbidden,
    ),
    row('that comes twice', describing({ edit: twice('x-amz-chime-bearer') }), mismatch),
    row('where none is needed', listing(lower, { headers: { 'x-amz-chime-bearer': 'Bob' } }), flows),
  ],
  'a signature': [
    row(
      'that is absent',
      describing({ unsigned: true }),
      refused(403, 'MissingAuthenticationToken', /^Missing Authent/),
    ),
    row(
      'that is none',
      describing({ unsigned: true, headers: { authorization: 'Bearer x' } }),
      incomplete(/'AWS4-HMAC-/),
    ),
    row(
      'that is empty',
      describing({ unsigned: true, headers: { authorization: '' } }),
      incomplete(/'AWS4-HMAC-SHA256'/),
    ),
    row('that comes twice', describing({ edit: twice('authorization') }), incomplete(/each parameter once/)),
    row(
      'of 20 kB',
      describing({ edit: (head) => head.replace(/(Credential=)/, `$1${'A'.repeat(20_000)}`) }),
      incomplete(/^Cred/),
    ),
    row(
      'over UNSIGNED-PAYLOAD',
      describing({ headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }),
      incomplete(/unsig/),
    ),
    row(
      'over a streaming payload',
      updating(body, { headers: { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' } }),
      incomplete(/unsigned and streaming payloads are not accepted/),
    ),
    row('without x-amz-content-sha256', updating(body, { withoutChecksum: true }), fine()),
    row('over 60 headers more', signing(manyHeaders(60)), fine()),
    row('over more names than 2 kB', signing(manyHeaders(250)), incomplete(/at most 2048 characters/)),
    row('over an empty header', signing({ 'x-empty': '' }), fine()),
    row('over runs of blanks', signing({ 'x-blank': 'a   b\t \tc  ' }), fine()),
    row('over a header that is not ASCII', signing({ 'x-name': 'Jürgen' }), fine()),
    row('over a header that comes twice', signing({ 'x-twice': '1' }, { edit: twice('x-twice') }), mismatch),
    row(
      'over a header that does not come',
      signing({ 'x-lost': '1' }, { edit: without('x-lost') }),
      invalid(/'x-lost' is/),
    ),
    row('over headers whose names come in capitals', describing({ edit: capitals }), fine()),
    row(
      'that lists its headers in capitals',
      describing({ edit: signedCapitals }),
      invalid(/^'host' must be a 'SignedHeader' in the AWS Authorization\.$/),
    ),
  ],
  'a body': [
    row('that is empty, where nothing is required', updating(''), fine()),
    row(
      'that is empty, where much is required',
      creating(''),
      badRequest(/^\d validation errors detected: .*'appInstanceArn'/),
    ),
    row('where none is wanted', describing({ body: 'nonsense' }), fine()),
    row('with members that nobody knows', updating('{"Nickname":1,"__proto__":{"Name":""},"constructor":2}'), fine()),
    row('with null for an optional member', updating('{"Name":null}'), fine()),
    row('with a member of the wrong kind', updating('{"Name":5}'), violation(/name' .* of type string$/)),
    row('that has a name twice, the last one right', updating('{"Name":"","Name":"Lobby"}'), fine()),
    row(
      'that has a name twice, the last one wrong',
      updating('{"Name":"Lobby","Name":""}'),
      violation(/name' .* equal to 1$/),
    ),
    row('with a byte order mark', updating(`\ufeff${body}`), fine()),
    row('10,000 levels deep, where nobody looks', updating(`{"Deep":${nested(10_000)}}`), fine()),
    row(
      '10,000 levels deep, where a text should be',
      updating(`{"Name":${nested(10_000)}}`),
      violation(/name' .* string$/),
    ),
    row('as deep as it can be', updating(`{"Deep":${nested(500_000)}}`), fine()),
    row('that is a list', updating('[]'), notAnObject),
    row('that is a text', updating('"x"'), notAnObject),
    row('that is null', updating('null'), notAnObject),
    row('of blanks', updating(' '), notJson('ends too early at line 1, column 2')),
    row('that is cut off', updating('{"Name":'), notJson('ends too early at line 1, column 9')),
    row('that is cut off in a text', updating('{"Name":"Lob'), notJson('breaks at line 1, column 9')),
    row('in UTF-16', updating(Buffer.from(body, 'utf16le')), notJson('breaks at line 1, column 2')),
    row('in Latin-1', updating(Buffer.from('{"Name":"Küche"}', 'latin1')), notUtf8),
    row('that is gzipped', updating(gzipSync(body), { headers: { 'content-encoding': 'gzip' } }), notUtf8),
    row('that is only said to be gzipped', updating(body, { headers: { 'content-encoding': 'gzip' } }), fine()),
    row('said to be text', updating(body, { headers: { 'content-type': 'text/plain' } }), fine()),
    row(
      'said to be a form',
      updating(body, { headers: { 'content-type': 'application/x-www-form-urlencoded' } }),
      fine(),
    ),
    row('of 1 MiB', updating(body.padEnd(1_048_576)), fine()),
    row('of one byte more', several(updating(body.padEnd(1_048_577)), describing()), tooLarge, fine()),
    row(
      'in chunks',
      updating(body, { edit: chunked, sentBody: '9\r\n{"Name":"\r\n7\r\nLobby"}\r\n0\r\n\r\n' }),
      fine(),
    ),
    row(
      'in chunks with extensions and trailers',
      updating(body, {
        edit: (head) => `${chunked(head)}trailer: x-note\r\n`,
        sentBody: `10;name="value";other\r\n${body}\r\n0\r\nx-note: end\r\nx-amz-chime-bearer: Bob\r\n\r\n`,
      }),
      fine(),
    ),
    row('encoded as identity', updating(body, { edit: (head) => `${head}transfer-encoding: identity\r\n` }), notHttp),
    row(
      'encoded as gzip and in chunks',
      updating(body, {
        edit: (head) => head.replace(/content-length: \d+/, 'transfer-encoding: gzip, chunked'),
        sentBody: Buffer.concat([
          Buffer.from(`${gzipSync(body).length.toString(16)}\r\n`),
          gzipSync(body),
          Buffer.from('\r\n0\r\n\r\n'),
        ]),
        withoutChecksum: true,
      }),
      mismatch,
    ),
    row(
      'in chunks of AWS',
      updating(`10;chunk-signature=0\r\n${body}\r\n0;chunk-signature=0\r\n\r\n`, {
        headers: { 'content-encoding': 'aws-chunked' },
      }),
      notJson('breaks at line 1, column 3'),
    ),
    row('said to be x-amz-json', updating(body, { headers: { 'content-type': 'application/x-amz-json-1.0' } }), fine()),
    row('said to be nothing', updating(body, { headers: { 'content-type': '' } }), fine()),
    row(
      'said to be JSON of a charset',
      updating(body, { headers: { 'content-type': 'application/json; charset=utf-8' } }),
      fine(),
    ),
    row('in chunks of no size', updating(body, { edit: chunked, sentBody: 'size\r\n{}\r\n0\r\n\r\n' }), notHttp),
    row('of two lengths', updating(body, { edit: (head) => `${head}content-length: 3\r\n` }), notHttp),
    row(
      'of a length and in chunks',
      updating(body, { edit: (head) => `${head}transfer-encoding: chunked\r\n` }),
      notHttp,
    ),
    row(
      'of a length below zero',
      updating(body, { edit: (head) => head.replace(/(content-length: )\d+/, '$1-1') }),
      notHttp,
    ),
  ],
  'an expectation': [
    row('100-continue', updating(body, { headers: { expect: '100-continue' } }), { status: 100 }, fine()),
    row(
      '100-continue, of a body that is too large',
      updating('', {
        headers: { expect: '100-continue' },
        edit: (head) => without('connection')(head).replace(/(content-length: )\d+/, '$11048577'),
      }),
      tooLarge,
    ),
    row('of anything else', updating(body, { headers: { expect: 'tea' } }), fine()),
  ],
  'a request': [
    row('that may be answered with trailers', describing({ headers: { te: 'trailers' } }), fine()),
    row('with an empty line before it', describing({ edit: (head) => `\r\n${head}` }), fine()),
    row(
      'with the blanks of SDKs around a value',
      describing({ edit: (head) => `${head}x-note: \t a \t \r\n` }),
      fine(),
    ),
    row('of HTTP/1.0', describing({ edit: (head) => head.replace('HTTP/1.1', 'HTTP/1.0') }), fine()),
    row('of HTTP/1.2', describing({ edit: (head) => head.replace('HTTP/1.1', 'HTTP/1.2') }), notHttp),
    row('of HTTP/2', () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', notHttp),
    row('of TLS', () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', notHttp),
    row('without Host', describing({ edit: without('host') }), notOneHost),
    row('without Host, of HTTP/1.0', () => 'GET /bells HTTP/1.0\r\n\r\n', noOperation),
    row('with two Hosts', describing({ edit: twice('host') }), notOneHost),
    row('with a NUL in a header', describing({ edit: (head) => `${head}x-note: a\0b\r\n` }), notHttp),
    row('with a header that is folded', describing({ edit: (head) => `${head}x-note: a\r\n b\r\n` }), notHttp),
    row('with a blank before a colon', describing({ edit: (head) => `${head}x-note : a\r\n` }), notHttp),
    row('with lines that end in LF alone', describing({ edit: (head) => head.replaceAll('\r', '') }), notHttp),
    row('with 2500 headers', signing({}, { edit: (head) => `${head}${'x-a: bcdef\r\n'.repeat(2500)}` }), headTooLarge),
    row(
      'that offers HTTP/2',
      describing({ edit: (head) => head.replace('close', 'close, upgrade') + 'upgrade: h2c\r\n' }),
      fine(),
    ),
    row(
      'and others right behind it, answered in order',
      several(
        describing(),
        get('/bells'),
        updating('{'),
        getting('scope=message-status'),
        describing({ method: 'TRACE' }),
      ),
      fine(),
      noOperation,
      notJson('ends too early at line 1, column 2'),
      fine(status),
      noOperation,
    ),
  ],
}
