import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CreateChannelFlowCommandInput, Processor } from '@aws-sdk/client-chime-sdk-messaging'
import { functionArn, populate, processor } from '../../support/population.ts'
import { assertRefused, noAccess, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

type Input = Partial<CreateChannelFlowCommandInput>

const server = await startTestServer()
const { AppInstanceArn } = await server.identity.createAppInstance({ Name: 'Bells' })
const create = (input: Input = {}) =>
  server.messaging.createChannelFlow({ AppInstanceArn, Name: 'Flow', Processors: [processor('first')], ...input })
const describe = async (ChannelFlowArn: string | undefined) =>
  (await server.messaging.describeChannelFlow({ ChannelFlowArn })).ChannelFlow

const inTurn = (...orders: number[]): Processor[] =>
  orders.map((ExecutionOrder, index) => ({ ...processor(`p${index}`), ExecutionOrder }))
const calling = (ResourceArn: string, InvocationType = 'ASYNC' as const): Processor[] => [
  { ...processor('p'), Configuration: { Lambda: { ResourceArn, InvocationType } } },
]
const deadline = (Value: string): Input => ({ Tags: [{ Key: 'carillon:deadline', Value }] })

suite('CreateChannelFlow accepts', () => {
  const accepted: Record<string, Input> = {
    'a Name of 256 characters, each an emoji': { Name: '🔔'.repeat(256) },
    'three processors': { Processors: inTurn(1, 2, 3) },
    'processors in any order': { Processors: inTurn(3, 1, 2) },
    'processors with a gap in their order': { Processors: inTurn(1, 3) },
    'a processor Name of 256 characters': { Processors: [{ ...processor('p'), Name: 'p'.repeat(256) }] },
    'two processors that call the same function': { Processors: [processor('p', 0), processor('p', 1)] },
    'the FallbackAction CONTINUE': { Processors: [{ ...processor('p'), FallbackAction: 'CONTINUE' }] },
    'a function by its version': { Processors: calling(`${functionArn('p')}:7`) },
    'a function by its alias': { Processors: calling(`${functionArn('p')}:live_1-a`) },
    'a function as $LATEST': { Processors: calling(`${functionArn('p')}:$LATEST`) },
    'a function of another region and account': {
      Processors: calling('arn:aws:lambda:eu-west-3:999999999999:function:p'),
    },
    'tags that are not ours': { Tags: [{ Key: 'team', Value: 'bells' }] },
  }
  for (const [what, input] of Object.entries(accepted)) {
    test(what, async () => {
      const { ChannelFlowArn } = await create(input)
      const { Name = 'Flow', Processors = [processor('first')] } = input
      const flow = await describe(ChannelFlowArn)
      assert.deepEqual([flow?.Name, flow?.Processors], [Name, Processors])
    })
  }

  for (const text of ['100ms', '0.1s', '90s', '1.5m', '48h', '30d', '2592000s']) {
    test(`a deadline of ${text}`, async () => assert.ok((await create(deadline(text))).ChannelFlowArn))
  }
})

suite('CreateChannelFlow rejects', () => {
  const pattern = /resourceArn' .* regular expression pattern/
  const rejected: Record<string, [input: Input, text: string | RegExp]> = {
    'an empty Name': [{ Name: '' }, violation('name', 'have length greater than or equal to 1')],
    'a Name of 257 characters': [{ Name: 'n'.repeat(257) }, violation('name', 'have length less than or equal to 256')],
    'no processor': [{ Processors: [] }, violation('processors', 'have length greater than or equal to 1')],
    'four processors': [
      { Processors: [...inTurn(1, 2, 3), ...inTurn(1)] },
      violation('processors', 'have length less than or equal to 3'),
    ],
    'the ExecutionOrder 0': [
      { Processors: inTurn(1, 0) },
      violation('processors.2.member.executionOrder', 'have value greater than or equal to 1'),
    ],
    'the ExecutionOrder 4': [
      { Processors: inTurn(4) },
      violation('processors.1.member.executionOrder', 'have value less than or equal to 3'),
    ],
    'the same ExecutionOrder twice': [
      { Processors: inTurn(1, 2, 1) },
      violation('processors', 'have a different executionOrder in each processor'),
    ],
    'an empty processor Name': [
      { Processors: [{ ...processor('p'), Name: '' }] },
      violation('processors.1.member.name', 'have length greater than or equal to 1'),
    ],
    'another FallbackAction': [
      { Processors: [{ ...processor('p'), FallbackAction: 'RETRY' as 'ABORT' }] },
      violation('processors.1.member.fallbackAction', 'satisfy enum value set: [CONTINUE, ABORT]'),
    ],
    'another InvocationType': [
      { Processors: calling(functionArn('p'), 'SYNC' as 'ASYNC') },
      violation('processors.1.member.configuration.lambda.invocationType', 'satisfy enum value set: [ASYNC]'),
    ],
    'a function by its bare name': [{ Processors: calling('moderate-messages') }, pattern],
    'a function ARN without a name': [
      { Processors: calling('arn:aws:lambda:us-east-1:111122223333:function:') },
      pattern,
    ],
    'an account of eleven digits': [
      { Processors: calling('arn:aws:lambda:us-east-1:11112222333:function:p') },
      pattern,
    ],
    'a malformed AppInstanceArn': [{ AppInstanceArn: 'bells' }, /'appInstanceArn'/],
    'a tag of ours that it does not know': [
      { Tags: [{ Key: 'carillon:deadlin', Value: '30s' }] },
      /'tags' failed to satisfy constraint: the tag carillon:deadlin is not known here \(known: carillon:deadline, carillon:on-deadline, carillon:attempts, carillon:retry, .*:3\)$/,
    ],
  }
  for (const [what, [input, text]] of Object.entries(rejected)) {
    test(what, () => assertRefused(create(input), 'BadRequest', text))
  }

  for (const text of ['99ms', '0.099s', '30.1d', '721h', '30', 's', '30 s', '-1s', '1e3s', '30S', 'never']) {
    test(`a deadline of ${text}`, () => assertRefused(create(deadline(text)), 'BadRequest', /from 100ms to 30d/))
  }

  test('an unknown AppInstance', () =>
    assertRefused(create({ AppInstanceArn: `${AppInstanceArn}0` }), 'Forbidden', noAccess))

  test('the 101st flow of an AppInstance', async () => {
    const full = await populate(server)
    await Promise.all(Array.from({ length: 100 }, () => full.createFlow(['first'])))
    const text = 'The limit of 100 channel flows per AppInstance is reached'
    await assertRefused(full.createFlow(['first']), 'ResourceLimitExceeded', text)
  })
})

suite('CreateChannelFlow', () => {
  test('returns an ARN of the AppInstance with a UUID', async () => {
    const { ChannelFlowArn } = await create()
    assert.match(
      ChannelFlowArn!.replace(AppInstanceArn!, ''),
      /^\/channel-flow\/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    )
  })
})
