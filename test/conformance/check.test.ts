import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { isGood, outcomesOf } from '../../conformance/check.ts'
import { sdks } from '../../conformance/sdks.ts'
import { type Line, steps } from '../../conformance/steps.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const sdk = sdks.boto3!
const number = (name: string) => steps.find((step) => step.name === name)!.number

/** What a program prints that has done nothing but create a user and a channel, and says what the table expects. */
const claims: Line[] = steps.map(({ number, expected }) => ({ step: number, ...expected }))
claims[number('identity') - 1]!.AppInstanceUserArn = people.owner
for (const name of ['channel', 'paging']) claims[number(name) - 1]!.ChannelArn = people.channelArn

suite('a program is not believed', () => {
  test('that says it has done what the server does not have', async () => {
    const outcomes = await outcomesOf(claims, sdk, server)
    const onServer = [
      'flow',
      'poll',
      'callback unchanged',
      'callback changed',
      'callback denied',
      'paging',
      'text',
      'token',
    ]
    for (const name of onServer) assert.ok(!isGood(outcomes[number(name)]), `${name}: ${outcomes[number(name)]}`)
  })

  test('that ends early', async () => {
    const outcomes = await outcomesOf(claims.slice(0, 3), sdk, server)
    for (const { number } of steps.slice(3)) assert.equal(outcomes[number], 'not reached')
  })

  test('that says it lacks a step which its SDK has', async () => {
    const outcomes = await outcomesOf([{ step: number('paging'), lacks: 'no time' }], sdk, server)
    assert.ok(!isGood(outcomes[number('paging')]))
  })

  test('that shows no status of an error, unless its SDK hides it', async () => {
    const line = { step: number('conflict'), error: 'ConflictException' }
    assert.ok(!isGood((await outcomesOf([line], sdk, server))[line.step]))
    assert.ok(isGood((await outcomesOf([line], sdks['cli-1']!, server))[line.step]))
  })
})
