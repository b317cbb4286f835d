import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { carillon } from '../../support/carillon.ts'
import { populate } from '../../support/population.ts'
import { startTestServer } from '../../support/running-server.ts'
import { until } from '../../support/until.ts'

const server = await startTestServer()
const people = await populate(server)
await people.attachFlow(['first'])
const run = (...args: string[]) => carillon(...args, '--data-dir', server.dataDir)

interface Processor {
  FunctionName: string
  Held: number
  Paused: boolean
  State: string
}

const processorsOf = async (): Promise<Processor[]> =>
  (await server.call('GET', '/carillon/v1/processors')).body.Processors
const busy = async () => (await processorsOf()).filter(({ Held, Paused }) => Held > 0 || Paused)
const stateOf = async (messageId: string | undefined) => {
  const { body } = await server.call('GET', `/carillon/v1/messages/${messageId}/timeline`)
  return body.Runs[0].Steps[0].Waits?.For
}

suite('a paused function', () => {
  test('is not invoked: its messages wait, over a restart too, until it is resumed', async () => {
    const paused = await run('pause', 'first')
    assert.equal(paused.stdout, 'first is paused: its messages wait, and their deadlines continue.\n')
    assert.equal((await run('pause', 'first')).stdout, 'first was paused already.\n')
    // After the restart the pause is known before the first invocation.
    await server.restart()
    const { MessageId } = await people.send()
    await until(async () => (await busy())[0]?.Held === 1)
    const [first] = await processorsOf()
    assert.deepEqual([first?.FunctionName, first?.Paused, first?.State], ['first', true, 'paused'])
    assert.match((await run('processors')).stdout, /^first {2}holds 1, the oldest for \d+ s {2}paused$/m)
    await server.restart()
    assert.equal(await stateOf(MessageId), 'processor')

    assert.equal((await run('resume', 'first')).stdout, 'first is invoked again.\n')
    await people.allow(await server.processors.next(MessageId))
    assert.equal(await people.status(MessageId), 'SENT')
    assert.equal((await run('resume', 'first')).stdout, 'first was not paused.\n')
    assert.deepEqual(await busy(), [])
    assert.match((await run('processors')).stdout, /^first {2}holds 0$/m)
  })
})
