import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { ProcessorEvent } from '../../../src/processor/processor-event.ts'
import { populate } from '../../support/population.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
await people.attachFlow(['first'])

/** Each order must happen so often. */
const winsMin = 10
/** The head start of a call changes by so many turns of the event loop, until the other one wins. */
const stepTurns = 3

async function after<T>(turns: number, call: () => Promise<T>): Promise<T> {
  for (let turn = 0; turn < turns; turn += 1) await setImmediate()
  return call()
}

async function byCallback(event: ProcessorEvent): Promise<string> {
  try {
    await people.allow(event, { Content: 'by callback' })
    return 'wins'
  } catch (error) {
    return (error as Error).name
  }
}

async function byPerson({ ChannelMessage }: ProcessorEvent): Promise<string> {
  const target = `/carillon/v1/messages/${ChannelMessage.MessageId}?operation=complete`
  const { status, type } = await server.call('POST', target, { body: { Content: 'by a person' } })
  return status === 204 ? 'wins' : type!
}

/** A call that begins when the other one has been done is told that as well. */
const toldText = {
  callback: /^(?:ConflictException|BadRequestException)$/,
  person: /^(?:ConflictException|NotFoundException)$/,
}

test('of a callback and a person at the same moment, one wins and the other is told, in both orders', async () => {
  const wins = { person: 0, callback: 0 }
  let lead = 0
  while (Math.min(wins.person, wins.callback) < winsMin) {
    const event = await people.sendHeld()
    const [callback, person] = await Promise.all([
      after(Math.max(0, lead), () => byCallback(event)),
      after(Math.max(0, -lead), () => byPerson(event)),
    ])
    const winner = person === 'wins' ? 'person' : 'callback'
    if (winner === 'person') assert.match(callback, toldText.callback)
    else assert.match(person, toldText.person)
    const { Content } = await people.read(event.ChannelMessage.MessageId, people.owner)
    assert.equal(Content, winner === 'person' ? 'by a person' : 'by callback')
    wins[winner] += 1
    lead += winner === 'person' ? -stepTurns : stepTurns
  }
})
