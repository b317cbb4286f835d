import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Call, FunctionChild } from '../../src/processor/function-child.ts'
import { RuntimeApi } from '../../src/processor/runtime-api.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { openGate, RecordingLog, temporaryFolder } from './functions.ts'

const call: Call = {
  awsRequestId: 'r-1',
  functionArn: 'arn:aws:lambda:us-east-1:111122223333:function:leaving',
  traceId: 'Root=1-00000000-000000000000000000000000;Sampled=0',
  body: '{}',
  messageId: 'm-1',
  onHandedOver: () => {},
}

test('a call ends although a daemon holds the output open, whatever its process sent before it exited', async (t) => {
  const gate = await openGate(t)
  const folder = await temporaryFolder(t, {
    'leaving.cjs': `const { spawn } = require('node:child_process')
      const options = { stdio: 'inherit', detached: true, env: {} }
      spawn(process.execPath, [__dirname + '/daemon.cjs'], options).unref()
      exports.handler = () => fetch('${gate.url}/function-' + process.pid)`,
    'daemon.cjs': `fetch('${gate.url}/daemon-' + process.pid)`,
  })
  const runtimeApi = new RuntimeApi()
  await runtimeApi.listen()
  t.after(() => runtimeApi.close())
  const exited = Promise.withResolvers<void>()
  const clock = new ManualClock()
  const child = new FunctionChild(
    {
      functionName: 'leaving',
      actAs: [],
      handler: 'leaving.handler',
      file: join(folder, 'leaving.cjs'),
      exportPath: 'handler',
      taskRoot: folder,
      environment: {},
      timeoutMs: 1_000,
      concurrency: 1,
      signature: 'one',
    },
    { environment: { AWS_LAMBDA_RUNTIME_API: runtimeApi.addressFor('token') }, folder, user: undefined },
    { clock, log: new RecordingLog(), endLeftovers: async () => exited.resolve() },
  )
  runtimeApi.register('token', child)
  const handOff = child.invoke(call)
  const arrivals = (await gate.arrivals(2)).map(({ name }) => name.split('-'))
  const pidOf = (who: string) => Number(arrivals.find(([name]) => name === who)?.[1])
  t.after(() => process.kill(pidOf('daemon'), 'SIGKILL'))
  process.kill(pidOf('function'), 'SIGKILL')
  await exited.promise
  child.broke('it sent this before it exited')
  child.next(() => {})
  clock.advance(1_000)
  assert.deepEqual(await handOff, { result: 'crashed', reason: 'its process was ended by SIGKILL' })
  await child.exited
})
