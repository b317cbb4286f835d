import assert from 'node:assert/strict'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import { type Population, populate } from '../support/population.ts'
import type { TestServer } from '../support/running-server.ts'

/** People whose channel has a flow of these functions. */
export async function populateFlow(server: TestServer, ...names: string[]): Promise<Population> {
  const people = await populate(server)
  await people.attachFlow(names)
  return people
}

/** The body of a callback for the event, with these changes to the message. */
export const bodyOf = ({ CallbackId, ChannelMessage }: ProcessorEvent, changes: object = {}) => ({
  CallbackId,
  ChannelMessage: { MessageId: ChannelMessage.MessageId, ...changes },
})

/** A callback in HTTP's own words. */
export function callBack(
  { server, channelArn }: Pick<Population, 'server' | 'channelArn'>,
  body: object | string,
  call: Parameters<TestServer['call']>[2] = {},
) {
  const target = `/channels/${encodeURIComponent(channelArn)}?operation=channel-flow-callback`
  return server.call('POST', target, { body, ...call })
}

/** What a callback is refused with when its step is over, and the message went on or out. */
export const notPending = ({ CallbackId }: Pick<ProcessorEvent, 'CallbackId'>) =>
  `Unable to complete processing of non-pending message for callback id ${CallbackId}`

/** All that a callback is refused for, as `member must …`. */
export async function violationsOf(...call: Parameters<typeof callBack>): Promise<string[]> {
  const { status, type, body } = await callBack(...call)
  assert.deepEqual([status, type, body.Code], [400, 'BadRequestException', 'BadRequest'])
  const [, count, list = ''] = /^(\d+) validation errors? detected: (.*)$/.exec(body.Message) ?? []
  const violations = list.split('; ')
  assert.equal(violations.length, Number(count), body.Message)
  return violations.map((text) => text.replace(/^Value at '(.*?)' failed to satisfy constraint: (Member )?/, '$1 '))
}
