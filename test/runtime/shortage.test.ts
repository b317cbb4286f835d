import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { getSystemErrorMap } from 'node:util'
import { Shortage, shortageOf } from '../../src/runtime/shortage.ts'

const failure = (code: string, address?: string) => Object.assign(new Error(code), { code, address })
const ofCall = (syscall: string, code: string) => Object.assign(failure(code), { syscall })
/** As Node has it when a name led to several addresses: the code is that of the first. */
const failures = (...errors: ReturnType<typeof failure>[]) =>
  Object.assign(new AggregateError(errors), { code: errors[0]?.code })

describe('a shortage is', () => {
  const rows: [name: string, error: unknown, kind: string | undefined][] = [
    ['a shortage', new Shortage('time', 'late'), 'time'],
    ['too few descriptors', failure('EMFILE'), 'descriptors'],
    ['too few of the whole system', failure('ENFILE'), 'descriptors'],
    ['too little memory', failure('ENOMEM'), 'memory'],
    ['a full disk', failure('ENOSPC'), 'disk'],
    ['too many processes', failure('EAGAIN'), 'processes'],
    ['no port of our own', failure('EADDRNOTAVAIL', '127.0.0.1'), 'network'],
    ['no way to the network', failure('ENETUNREACH', '192.0.2.1'), 'network'],
    ['no such address family here', failure('EAFNOSUPPORT', '2001:db8::1'), 'network'],
    ['a firewall of this machine', ofCall('connect', 'EPERM'), 'network'],
    ['a name server that fails', ofCall('getaddrinfo', 'EAI_FAIL'), 'network'],
    ['too few descriptors to look up a name', ofCall('getaddrinfo', 'EMFILE'), 'descriptors'],
    ['what another error was caused by', new TypeError('failed', { cause: failure('EMFILE') }), 'descriptors'],
    [
      'of any address that was tried',
      failures(failure('ECONNREFUSED', '::1'), failure('EMFILE', '127.0.0.1')),
      'descriptors',
    ],
    [
      'of the IPv4 address though the other side refused over IPv6',
      failures(failure('ECONNREFUSED', '::1'), failure('EADDRNOTAVAIL', '127.0.0.1')),
      'network',
    ],
    [
      'of all addresses',
      failures(failure('ENETUNREACH', '2001:db8::1'), failure('ENETUNREACH', '192.0.2.1')),
      'network',
    ],
    [
      'not a machine without IPv6 where the other side refused over IPv4',
      failures(failure('EADDRNOTAVAIL', '::1'), failure('ECONNREFUSED', '127.0.0.1')),
      undefined,
    ],
    [
      'not a firewall against IPv6 where the other side refused over IPv4',
      failures(Object.assign(ofCall('connect', 'EPERM'), { address: '::1' }), failure('ECONNREFUSED', '127.0.0.1')),
      undefined,
    ],
    ['not a refusal', failure('ECONNREFUSED', '127.0.0.1'), undefined],
    ['not one host that cannot be reached', failure('EHOSTUNREACH', '192.0.2.1'), undefined],
    ['not a name that does not exist', ofCall('getaddrinfo', 'ENOTFOUND'), undefined],
    ['not a file without permission', ofCall('open', 'EACCES'), undefined],
    ['not an error without a code', new Error('no'), undefined],
    ['not undefined', undefined, undefined],
  ]
  for (const [name, error, kind] of rows) test(name, () => assert.equal(shortageOf(error), kind))
})

test('every code of getaddrinfo is a shortage, but those for a name that does not exist', () => {
  const codes = [...getSystemErrorMap().values()].map(([code]) => code).filter((code) => code.startsWith('EAI_'))
  // Node has ENOTFOUND instead of these two.
  const failing = codes.filter((code) => !['EAI_NONAME', 'EAI_NODATA'].includes(code))
  assert.ok(failing.includes('EAI_AGAIN') && failing.includes('EAI_FAIL'))
  for (const code of failing) {
    assert.equal(shortageOf(ofCall('getaddrinfo', code)), code === 'EAI_MEMORY' ? 'memory' : 'network', code)
  }
})
