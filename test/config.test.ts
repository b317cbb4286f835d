import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Config, ConfigError, readConfig } from '../src/config.ts'
import { type Setting, settings } from '../src/settings.ts'

const noFiles = (path: string): string => {
  throw new Error(`ENOENT: no such file or directory, open '${path}'`)
}

/** The complaints about a command line and an environment, none if they are fine. */
function problems(args: string[], environment: Record<string, string> = {}, readFile = noFiles): string[] {
  try {
    readConfig(args, environment, readFile)
    return []
  } catch (error) {
    assert.ok(error instanceof ConfigError)
    return error.problems
  }
}

const keyId = 'AKIACARILLON0000TEST'
const secret = 'A+secret/of=40#printable~characters.....'

suite('readConfig', () => {
  test('needs nothing', () => {
    const expected: Config = {
      dataDir: './data',
      host: '127.0.0.1',
      httpPort: 8080,
      httpsPort: 8443,
      tls: true,
      tlsFiles: undefined,
      tlsNames: [],
      publicHost: undefined,
      adminPort: 9080,
      isAdminPortGiven: false,
      adminHost: '127.0.0.1',
      adminNames: [],
      connections: undefined,
      connectionsPerAddress: 128,
      signatureTimeoutMs: 5_000,
      descriptorReserve: 128,
      region: 'us-east-1',
      account: '000000000000',
      databaseUrl: undefined,
      nats: undefined,
      functions: './functions',
      functionProcesses: 32,
      functionsUser: undefined,
      waitingMax: 10_000,
      lambda: undefined,
      creds: undefined,
      logLevel: 'info',
      logFormat: undefined,
      limits: 'off',
      rates: {},
      stsRoles: [],
      oidc: undefined,
      credentials: undefined,
    }
    assert.deepEqual(readConfig([], {}, noFiles), { config: expected, warnings: [] })
  })

  test('reads every setting from its variable and from its flag', () => {
    const texts: Record<string, [text: string, value: unknown]> = {
      dataDir: ['/var/lib/carillon', '/var/lib/carillon'],
      host: ['::', '::'],
      httpPort: ['0', 0],
      httpsPort: ['443', 443],
      tls: ['off', false],
      tlsNames: ['chat.internal, *.example.com,fd00::7', ['chat.internal', '*.example.com', 'fd00::7']],
      publicHost: ['chat.example.com:9443', 'chat.example.com:9443'],
      region: ['eu-central-1', 'eu-central-1'],
      account: ['123456789012', '123456789012'],
      functions: ['../functions', '../functions'],
      adminPort: ['off', undefined],
      adminNames: ['admin.internal,metrics', ['admin.internal', 'metrics']],
      connections: ['4000', 4000],
      connectionsPerAddress: ['16', 16],
      descriptorReserve: ['64', 64],
      functionProcesses: ['4', 4],
      functionsUser: ['functions', 'functions'],
      waitingMax: ['500', 500],
      logLevel: ['debug', 'debug'],
      logFormat: ['json', 'json'],
      limits: ['aws', 'aws'],
    }
    for (const [name, [text, value]] of Object.entries(texts)) {
      const { variable, flag = '' }: Setting = settings[name as keyof typeof settings]
      const read = (args: string[], environment = {}) =>
        readConfig(args, environment, noFiles).config[name as keyof Config]
      assert.deepEqual(read([], { [variable]: text }), value)
      assert.deepEqual(read([flag, text]), value)
      assert.deepEqual(read([`${flag}=${text}`]), value)
    }
  })

  test('reads the rates by their names', () => {
    const { config } = readConfig(['--limits', 'aws', '--rates', 'bearer=50, messages=100'], {}, noFiles)
    assert.deepEqual(config.rates, { bearer: 50, messages: 100 })
  })

  test('lets the flag win over the variable, and the last flag over the first', () => {
    const { config } = readConfig(
      ['--http-port', '1', '--http-port=2'],
      { CARILLON_HTTP_PORT: 'tcp://10.0.0.1' },
      noFiles,
    )
    assert.equal(config.httpPort, 2)
  })

  test('takes an empty variable for none', () => {
    assert.equal(
      readConfig([], { CARILLON_REGION: '', CARILLON_ACCESS_KEY_ID: '' }, noFiles).config.region,
      'us-east-1',
    )
  })

  test('reads what /creds needs', () => {
    const arn = 'arn:aws:chime:us-east-1:111122223333:app-instance/a1'
    const args = ['--creds-origins', 'https://a.example.org, http://localhost:9000', '--creds-app-instance', arn]
    const origins = ['https://a.example.org', 'http://localhost:9000']
    assert.deepEqual(readConfig(args, {}, noFiles).config.creds, {
      origins,
      appInstanceArn: arn,
      callsPerMinute: 60,
      by: 'function',
    })
  })

  test('/creds by ID tokens needs their issuer', () => {
    const args = ['--creds-origins', 'https://a.example.org', '--creds-app-instance', appInstance, '--creds-by', 'oidc']
    assert.deepEqual(problems(args), ['CARILLON_CREDS_BY=oidc needs CARILLON_OIDC_ISSUER'])
    assert.deepEqual(problems([...args, '--oidc-issuer', 'https://a', '--oidc-audience', 'chat']), [])
  })

  test('keeps an = in a value', () => {
    assert.equal(readConfig(['--data-dir=/a=b'], {}, noFiles).config.dataDir, '/a=b')
  })
})

const appInstance = 'arn:aws:chime:us-east-1:111122223333:app-instance/A'

/** The settings without which another one is a problem. */
const companions: Record<string, string[]> = {
  '--creds-origins': ['--creds-app-instance', appInstance],
  '--creds-app-instance': ['--creds-origins', 'https://chat.example.org'],
  '--rates': ['--limits', 'aws'],
  '--oidc-issuer': ['--oidc-audience', 'chat'],
  '--oidc-audience': ['--oidc-issuer', 'https://a'],
  '--oidc-user-claim': ['--oidc-audience', 'chat', '--oidc-issuer', 'https://a'],
}

suite('readConfig accepts and refuses', () => {
  const cases: Record<string, { accepts: string[]; refuses: string[] }> = {
    '--data-dir': { accepts: ['data', '/a b'], refuses: [''] },
    '--host': {
      accepts: ['0.0.0.0', '::1', 'my-host.local'],
      refuses: ['', '0.0.0.0:8080', '[::1]', 'http://a', 'a b'],
    },
    '--http-port': { accepts: ['0', '80', '65535'], refuses: ['', '65536', '-1', '80x', '8e3', '1.5', ' 80', '0x50'] },
    '--tls': { accepts: ['on', 'off'], refuses: ['', 'yes', 'OFF', 'false'] },
    '--tls-names': {
      accepts: ['chat.internal', '*.example.com,10.0.0.7', '::1, b'],
      refuses: [',', 'a,,b', 'a b', 'https://a', 'a:443', 'a.*.b', '[::1]'],
    },
    '--public-host': {
      accepts: ['localhost', 'localhost:8443', 'Chat.Example.com', '10.0.0.1:80', '[::1]:8443'],
      refuses: [
        '',
        'wss://a',
        'https://a:1',
        'a/b',
        'a:443',
        'a:',
        'a:x',
        'a:65536',
        'u@a',
        '::1',
        'a b',
        'a?b',
        '*.a',
        'ä.de',
      ],
    },
    '--region': {
      accepts: ['us-east-1', 'ap-southeast-2'],
      refuses: ['', 'us-east', 'US-EAST-1', 'us-east-1a', 'local'],
    },
    '--account': { accepts: ['123456789012'], refuses: ['', '12345678901', '1234567890123', '12345678901x'] },
    '--functions': { accepts: ['./functions'], refuses: [''] },
    '--admin-host': { accepts: ['0.0.0.0', '::', 'localhost'], refuses: ['', '[::1]', 'a b'] },
    '--admin-port': { accepts: ['0', '9090', 'off'], refuses: ['', 'on', '65536'] },
    '--admin-names': { accepts: ['admin.internal', 'a, b'], refuses: ['a b', 'http://a'] },
    '--connections': { accepts: ['1', '1000000'], refuses: ['', '0', '-1', '1e3', '1000001', 'all'] },
    '--signature-timeout': { accepts: ['1', '3600'], refuses: ['', '0', '5s', '3601'] },
    '--functions-user': { accepts: ['nobody', 'chat_functions-1'], refuses: ['', '0', 'a b', 'a:b', '-a'] },
    '--creds-origins': {
      accepts: ['https://chat.example.org', 'http://localhost:9000, https://a.example.org:8443'],
      refuses: [
        '',
        'null',
        '*',
        'chat.example.org',
        'https://chat.example.org/',
        'https://chat.example.org:443',
        'https://Chat.example.org',
        'https://*.example.org',
        'file://a',
      ],
    },
    '--creds-app-instance': {
      accepts: [appInstance],
      refuses: ['', 'a1', `${appInstance}/user/ann`],
    },
    '--rates': {
      accepts: ['bearer=1', 'bearer=50,messages=999999, batch=2'],
      refuses: ['', 'bearer', 'bearer=0', 'bearer=-1', 'bearer=1.5', 'sends=3', 'bearer=1,', 'bearer=1000000', '10'],
    },
    '--sts-roles': {
      accepts: [
        'chat=user',
        `chat=user:${appInstance}, people=user+directory:${appInstance}`,
        `a=operator,b=reviewer,c=viewer:${appInstance},d=callback:${appInstance}`,
        `one-flow=callback:${appInstance}/channel-flow/f`,
      ],
      refuses: [
        '',
        'chat',
        'chat=',
        'chat=users',
        'chat=root',
        'chat=function:redact',
        'chat=callback',
        'chat=operator+directory',
        'chat=user,chat=operator',
        'a/b=user',
        `chat=user:${appInstance}/user/ann`,
        `chat=operator:${appInstance}/channel/c`,
        'chat=user:arn:aws:iam::111122223333:user/ann',
        'chat=user,',
      ],
    },
    '--oidc-issuer': {
      accepts: ['https://login.example.com/realms/chat', 'http://keycloak:8080/realms/chat/'],
      refuses: ['', 'login.example.com', 'https://u:p@a', 'https://a?b', 'https://a#b', 'ftp://a'],
    },
    '--oidc-audience': { accepts: ['chat', 'chat,https://api.example.com'], refuses: ['', 'a b', 'a,,b'] },
    '--oidc-user-claim': { accepts: ['sub', 'https://example.com/user'], refuses: ['', 'a b'] },
    '--log-format': { accepts: ['json', 'pretty'], refuses: ['', 'text', 'JSON'] },
    '--log-level': { accepts: ['debug', 'info', 'warn', 'error'], refuses: ['', 'verbose', 'INFO'] },
  }
  for (const [flag, { accepts, refuses }] of Object.entries(cases)) {
    test(flag, () => {
      const also = companions[flag] ?? []
      for (const text of accepts) assert.deepEqual(problems([flag, text, ...also]), [], text)
      for (const text of refuses) {
        const [problem = '', ...others] = problems([flag, text, ...also])
        assert.ok(problem.startsWith(`${flag} is ${JSON.stringify(text)}, but must be `), `${flag} ${text}: ${problem}`)
        assert.deepEqual(others, [])
      }
    })
  }

  test('says to leave :443 out', () => {
    assert.match(problems(['--public-host', 'chat.example.com:443'])[0] ?? '', /leave :443 out/)
  })

  test('names the variable that a bad value is from', () => {
    assert.deepEqual(problems([], { CARILLON_ACCOUNT: '12' }), ['CARILLON_ACCOUNT is "12", but must be 12 digits'])
  })

  test('two equal ports are refused, two zeros are not', () => {
    assert.deepEqual(problems(['--http-port', '8443']), [
      'HTTP and HTTPS cannot share port 8443: change --http-port or --https-port',
    ])
    assert.deepEqual(problems(['--http-port', '0', '--https-port', '0']), [])
  })

  test('the admin port is its own', () => {
    const complaint = 'the API and the admin port cannot share port 8080: change --admin-port'
    assert.deepEqual(problems(['--admin-port', '8080']), [complaint])
    assert.deepEqual(problems(['--admin-port', '0', '--http-port', '0']), [])
    assert.deepEqual(problems(['--admin-port', '8443', '--tls', 'off']), [])
    assert.deepEqual(problems(['--http-port', '9080']), [], 'the preset port gives way')
  })

  test('the host and the names of the admin port have no effect without it', () => {
    const complaint = (name: string) => `${name} has no effect with CARILLON_ADMIN_PORT=off: drop one of them`
    assert.deepEqual(problems(['--admin-host', '0.0.0.0']), [])
    assert.deepEqual(problems(['--admin-port', 'off', '--admin-host', '0.0.0.0', '--admin-names', 'a']), [
      complaint('CARILLON_ADMIN_HOST'),
      complaint('CARILLON_ADMIN_NAMES'),
    ])
  })

  test('rates without limits have no effect', () => {
    const complaint = 'CARILLON_RATES has no effect without CARILLON_LIMITS=aws: set both, or neither'
    assert.deepEqual(problems(['--rates', 'bearer=50']), [complaint])
    assert.deepEqual(problems(['--rates', 'bearer=50', '--limits', 'off']), [complaint])
  })

  test('without TLS the HTTPS port is nobody’s', () => {
    assert.deepEqual(problems(['--http-port', '8443', '--tls', 'off']), [])
  })

  test('a flag without a value is refused, and does not take the next flag for one', () => {
    assert.deepEqual(problems(['--account', '--region', 'us-west-2']), ['--account has no value: it must be 12 digits'])
    assert.deepEqual(problems(['--account']), ['--account has no value: it must be 12 digits'])
  })

  test('an unknown flag is refused with those that are near', () => {
    assert.deepEqual(problems(['--htp-port', '80']), ['--htp-port is not a flag; the nearest one is --http-port'])
    assert.deepEqual(problems(['--log=debug']), ['--log is not a flag; near ones are --log-level, --log-format'])
  })

  test('a word that belongs to no flag is refused', () => {
    assert.deepEqual(problems(['8080']), ['"8080" is not expected here: settings are given as --flag value'])
  })

  test('all problems are told at once', () => {
    const args = ['--region', 'moon', 'stray', '--wat', '--account=1']
    const environment = { CARILLON_HTTP_PORT: 'x', CARILLON_LOG_LEVEL: 'loud', CARILLON_ACCESS_KEY_ID: keyId }
    const found = problems(args, environment)
    for (const what of ['stray', '--wat', '--region', '--account', 'CARILLON_HTTP_PORT', 'CARILLON_LOG_LEVEL']) {
      assert.equal(found.filter((problem) => problem.includes(what)).length, 1, what)
    }
    assert.match(found.at(-1) ?? '', /belong together/)
    assert.equal(found.length, 7)
  })
})

suite('the key pair', () => {
  test('comes from its variables', () => {
    const environment = { CARILLON_ACCESS_KEY_ID: keyId, CARILLON_SECRET_ACCESS_KEY: secret }
    assert.deepEqual(readConfig([], environment, noFiles).config.credentials, {
      accessKeyId: keyId,
      secretAccessKey: secret,
    })
  })

  test('comes from files, without the newline at their end', () => {
    const environment = { CARILLON_ACCESS_KEY_ID_FILE: '/run/id', CARILLON_SECRET_ACCESS_KEY_FILE: '/run/secret' }
    const readFile = (path: string) => (path === '/run/id' ? `${keyId}\n` : `${secret}\r\n`)
    assert.deepEqual(readConfig([], environment, readFile).config.credentials, {
      accessKeyId: keyId,
      secretAccessKey: secret,
    })
  })

  test('is refused by half', () => {
    const message = 'CARILLON_ACCESS_KEY_ID and CARILLON_SECRET_ACCESS_KEY belong together: set both, or neither'
    assert.deepEqual(problems([], { CARILLON_ACCESS_KEY_ID: keyId }), [message])
    assert.deepEqual(
      problems([], { CARILLON_SECRET_ACCESS_KEY_FILE: '/run/secret' }, () => secret),
      [message],
    )
  })

  test('is refused from two places', () => {
    const environment = {
      CARILLON_ACCESS_KEY_ID: keyId,
      CARILLON_ACCESS_KEY_ID_FILE: '/run/id',
      CARILLON_SECRET_ACCESS_KEY: secret,
    }
    assert.deepEqual(
      problems([], environment, () => keyId),
      ['CARILLON_ACCESS_KEY_ID and CARILLON_ACCESS_KEY_ID_FILE are both set: keep one of them'],
    )
  })

  test('is refused from a file that cannot be read', () => {
    const environment = { CARILLON_ACCESS_KEY_ID: keyId, CARILLON_SECRET_ACCESS_KEY_FILE: '/nowhere' }
    assert.deepEqual(problems([], environment), [
      "CARILLON_SECRET_ACCESS_KEY_FILE cannot be read: ENOENT: no such file or directory, open '/nowhere'",
    ])
  })

  test('is refused in a wrong form, without being repeated', () => {
    const bad = 'short secret'
    const found = problems([], { CARILLON_ACCESS_KEY_ID: `${keyId}!`, CARILLON_SECRET_ACCESS_KEY: bad })
    assert.deepEqual(found, [
      'CARILLON_ACCESS_KEY_ID must be 16 to 128 letters, digits or underscores',
      'CARILLON_SECRET_ACCESS_KEY must be 16 to 128 printable ASCII characters without spaces',
    ])
  })

  test('has no flag, and the reason is given', () => {
    const found = problems([`--secret-access-key=${secret}`])
    assert.deepEqual(found, [
      '--secret-access-key is not a flag, because flags show in the process list: use CARILLON_SECRET_ACCESS_KEY or CARILLON_SECRET_ACCESS_KEY_FILE',
    ])
  })
})

suite('the Lambda endpoint', () => {
  const endpoint = { CARILLON_LAMBDA_ENDPOINT: 'http://127.0.0.1:3002' }
  const keys = { CARILLON_LAMBDA_ACCESS_KEY_ID: keyId, CARILLON_LAMBDA_SECRET_ACCESS_KEY: secret }
  const lambdaOf = (args: string[], environment = {}) => readConfig(args, environment, noFiles).config.lambda

  test('is all that is needed', () => {
    const lambda = {
      endpoint: 'http://127.0.0.1:3002',
      functionName: '{name}',
      concurrency: 128,
      region: undefined,
      credentials: undefined,
    }
    assert.deepEqual(lambdaOf([], endpoint), lambda)
    assert.deepEqual(lambdaOf(['--lambda-endpoint', 'http://127.0.0.1:3002']), lambda)
  })

  test('has a region, a key pair and names of its own, if they are given', () => {
    const args = ['--lambda-region', 'eu-west-1', '--lambda-function-name=chat-dev-{name}']
    const credentials = { accessKeyId: keyId, secretAccessKey: secret }
    assert.deepEqual(lambdaOf(args, { ...endpoint, ...keys }), {
      endpoint: 'http://127.0.0.1:3002',
      functionName: 'chat-dev-{name}',
      concurrency: 128,
      region: 'eu-west-1',
      credentials,
    })
    const temporary = { ...endpoint, ...keys, CARILLON_LAMBDA_SESSION_TOKEN: 'token+of/this=key' }
    assert.deepEqual(lambdaOf([], temporary)?.credentials, { ...credentials, sessionToken: 'token+of/this=key' })
  })

  test('is missed where something belongs to it, and so is the key pair', () => {
    const needsEndpoint = 'has no effect without CARILLON_LAMBDA_ENDPOINT: set both, or neither'
    assert.deepEqual(problems(['--lambda-region', 'eu-west-1', '--lambda-function-name', 'function'], keys), [
      `CARILLON_LAMBDA_FUNCTION_NAME ${needsEndpoint}`,
      `CARILLON_LAMBDA_REGION ${needsEndpoint}`,
      `CARILLON_LAMBDA_ACCESS_KEY_ID ${needsEndpoint}`,
    ])
    assert.deepEqual(problems([], { ...endpoint, CARILLON_LAMBDA_SECRET_ACCESS_KEY: secret }), [
      'CARILLON_LAMBDA_ACCESS_KEY_ID and CARILLON_LAMBDA_SECRET_ACCESS_KEY belong together: set both, or neither',
    ])
    assert.deepEqual(problems([], { ...endpoint, CARILLON_LAMBDA_SESSION_TOKEN: 'token' }), [
      'CARILLON_LAMBDA_SESSION_TOKEN has no effect without CARILLON_LAMBDA_ACCESS_KEY_ID: set both, or neither',
    ])
  })

  test('and its names are accepted and refused by their form', () => {
    const withEndpoint = (...args: string[]) => problems(args, endpoint)
    for (const text of ['https://lambda.us-east-1.amazonaws.com', 'http://localhost:4566/', 'http://[::1]:3002']) {
      assert.deepEqual(problems(['--lambda-endpoint', text]), [], text)
    }
    for (const text of [
      '',
      'localhost:3002',
      'ftp://a',
      'http://',
      'http://a/b',
      'http://a?b',
      'http://u@a',
      'http://a:x',
    ]) {
      assert.equal(problems(['--lambda-endpoint', text]).length, 1, text)
    }
    for (const text of ['{name}', '{arn}', 'function', 'chat-dev-{name}', 'a.b_c:{name}']) {
      assert.deepEqual(withEndpoint('--lambda-function-name', text), [], text)
    }
    for (const text of ['', '{Name}', '{name', 'a b', '../{name}', 'x'.repeat(257)]) {
      assert.equal(withEndpoint('--lambda-function-name', text).length, 1, text)
    }
  })
})

suite('the TLS files', () => {
  const files = { CARILLON_TLS_CERT: '/tls/cert.pem', CARILLON_TLS_KEY: '/tls/key.pem' }

  test('come from variables or flags', () => {
    const tlsFiles = { certificate: '/tls/cert.pem', key: '/tls/key.pem' }
    assert.deepEqual(readConfig([], files, noFiles).config.tlsFiles, tlsFiles)
    const mixed = readConfig(['--tls-key=/tls/key.pem'], { CARILLON_TLS_CERT: '/tls/cert.pem' }, noFiles)
    assert.deepEqual(mixed.config.tlsFiles, tlsFiles)
  })

  test('are refused by half', () => {
    const message = 'CARILLON_TLS_CERT and CARILLON_TLS_KEY belong together: set both, or neither'
    assert.deepEqual(problems(['--tls-cert', 'a.pem']), [message])
    assert.deepEqual(problems([], { CARILLON_TLS_KEY: 'a.pem' }), [message])
  })

  test('are refused where they would mean nothing, and so are names', () => {
    assert.deepEqual(problems(['--tls', 'off', '--tls-names', 'a'], files), [
      'CARILLON_TLS_CERT has no effect with CARILLON_TLS=off: drop one of them',
      'CARILLON_TLS_KEY has no effect with CARILLON_TLS=off: drop one of them',
      'CARILLON_TLS_NAMES has no effect with CARILLON_TLS=off: drop one of them',
    ])
    assert.deepEqual(problems(['--tls-names', 'a'], files), [
      'CARILLON_TLS_NAMES has no effect with CARILLON_TLS_CERT, which has its names: drop one of them',
    ])
  })
})

test('no TLS and no public host is a warning, since clients always open sessions over TLS', () => {
  const warnings = (...args: string[]) => readConfig(['--tls', 'off', ...args], {}, noFiles).warnings
  assert.deepEqual(warnings(), [
    'without CARILLON_PUBLIC_HOST clients open messaging sessions at wss://localhost:8080, where no listener has TLS',
  ])
  assert.deepEqual(warnings('--public-host', 'chat.example.com'), [])
})

suite('an unknown CARILLON_ variable', () => {
  const warnings = (environment: Record<string, string>) => readConfig([], environment, noFiles).warnings

  test('is a warning with the nearest known one', () => {
    assert.deepEqual(warnings({ CARILLON_HTP_PORT: '80' }), [
      'CARILLON_HTP_PORT is not a setting and is ignored; the nearest one is CARILLON_HTTP_PORT',
    ])
  })

  test('does not stop a server in a cluster that has a Service of its name', () => {
    const set = {
      CARILLON_PORT: 'tcp://10.0.0.7:80',
      CARILLON_SERVICE_HOST: '10.0.0.7',
      CARILLON_PORT_80_TCP_PROTO: 'tcp',
    }
    assert.equal(warnings(set).length, 3)
  })

  test('is left alone if it is for tests, or somebody else’s', () => {
    assert.deepEqual(warnings({ CARILLON_TEST_URL: 'http://127.0.0.1', CARILLONS: '1', HOME: '/root' }), [])
  })
})

suite('readConfig of a cluster', () => {
  const database = { CARILLON_DATABASE_URL: 'postgres://carillon:s3cret@db.internal:5432/carillon?sslmode=verify-full' }
  const nats = { CARILLON_NATS_URL: 'nats://a:4222, tls://user:s3cret@b:4222' }
  const files = { CARILLON_NATS_CREDENTIALS: '/run/nats.creds', CARILLON_NATS_CA: '/run/ca.pem' }

  test('takes a database and the servers of NATS, with their files', () => {
    const { config, warnings } = readConfig([], { ...database, ...nats, ...files }, noFiles)
    assert.equal(config.databaseUrl, database.CARILLON_DATABASE_URL)
    assert.deepEqual(config.nats, {
      servers: ['nats://a:4222', 'tls://user:s3cret@b:4222'],
      credentialsFile: '/run/nats.creds',
      caFile: '/run/ca.pem',
    })
    assert.deepEqual(warnings, [])
  })

  test('takes them from files, since they may hold a password', () => {
    const environment = { CARILLON_DATABASE_URL_FILE: '/run/database', CARILLON_NATS_URL_FILE: '/run/nats' }
    const contents: Record<string, string> = {
      '/run/database': `${database.CARILLON_DATABASE_URL}\n`,
      '/run/nats': `${nats.CARILLON_NATS_URL}\n`,
    }
    const { config } = readConfig([], environment, (path) => contents[path] ?? noFiles(path))
    assert.equal(config.databaseUrl, database.CARILLON_DATABASE_URL)
    assert.equal(config.nats?.servers.length, 2)
  })

  test('says that a database without NATS is for one node', () => {
    const { warnings } = readConfig([], database, noFiles)
    assert.match(warnings.join(), /^without CARILLON_NATS_URL this is the only node on its database/)
  })

  test('refuses what does not go together', () => {
    assert.deepEqual(problems([], nats), [
      'CARILLON_NATS_URL has no effect without CARILLON_DATABASE_URL: set both, or neither',
    ])
    assert.deepEqual(problems([], { ...database, ...files }), [
      'CARILLON_NATS_CREDENTIALS has no effect without CARILLON_NATS_URL: set both, or neither',
      'CARILLON_NATS_CA has no effect without CARILLON_NATS_URL: set both, or neither',
    ])
  })

  test('refuses another form, without repeating a password', () => {
    for (const url of ['mysql://carillon:s3cret@db/carillon', 'postgres://carillon:s3cret@db', 's3cret']) {
      const [problem = '', ...others] = problems([], { CARILLON_DATABASE_URL: url })
      assert.match(problem, /^CARILLON_DATABASE_URL must be a URL such as postgres:/)
      assert.ok(!problem.includes('s3cret'))
      assert.deepEqual(others, [])
    }
    for (const url of ['http://nats:4222', 'nats://a:4222,b:4222', 'nats://a:4222/path']) {
      const [problem = ''] = problems([], { ...database, CARILLON_NATS_URL: url })
      assert.match(problem, /^CARILLON_NATS_URL must be nats:/)
    }
  })
})
