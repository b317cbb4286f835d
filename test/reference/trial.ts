import assert from 'node:assert/strict'
import type { ChannelMessageCallback } from '@aws-sdk/client-chime-sdk-messaging'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import type { SessionClient } from '../session/session-client.ts'
import { type Population, populate } from '../support/population.ts'
import { outcomeOf } from '../support/refusals.ts'
import type { TestServer } from '../support/running-server.ts'

type Message = ProcessorEvent['ChannelMessage']

export const kinds = ['new', 'updated', 'NON_PERSISTENT', 'targeted'] as const
type Kind = (typeof kinds)[number]

/** What one of three processors says of a message. The other two leave it as it is. */
interface Verdict {
  /** Which processor, from 1. */
  position: number
  denies: boolean
  changes: Partial<ChannelMessageCallback>
}

interface Sessions {
  sender: SessionClient
  target: SessionClient
  /** A HIDDEN member's. */
  bystander: SessionClient
}

/** What a message is before anybody changes it. */
const original = {
  Content: 'hello',
  Metadata: 'm',
  ContentType: 'text/plain',
  MessageAttributes: { a: { StringValues: ['1'] }, b: { StringValues: ['2'] } },
}

/** Puts messages before three processors, and looks at everything that comes of a verdict. */
export class Trial {
  readonly #people: Population
  /** Messages that met no flow, to be updated. */
  readonly #sentBefore: (string | undefined)[]
  readonly #sessions: Sessions

  private constructor(people: Population, sentBefore: (string | undefined)[], sessions: Sessions) {
    this.#people = people
    this.#sentBefore = sentBefore
    this.#sessions = sessions
  }

  /** Up to `updatesMax` messages can be updated in it. */
  static async open(server: TestServer, updatesMax: number): Promise<Trial> {
    const people = await populate(server)
    const sent = await Promise.all(Array.from({ length: updatesMax }, () => people.send(original)))
    await people.attachFlow(['first', 'second', 'third'])
    const sessions = {
      sender: await server.session(people.member),
      target: await server.session(people.owner),
      bystander: await server.session(people.hidden),
    }
    const ids = sent.map(({ MessageId }) => MessageId)
    return new Trial(people, ids, sessions)
  }

  /** That the verdict makes of a message what it says: for the processors after it, the sessions, and the readers. */
  async prove(kind: Kind, verdict: Verdict): Promise<void> {
    const first = await this.#meet(kind)
    const { ChannelMessage: asSent } = first
    const asLeft = await this.#process(first, verdict)
    await this.#assertTold(asSent, verdict.denies ? undefined : asLeft)
    const denied = kind === 'updated' ? original : undefined
    const passed = asSent.Persistence === 'PERSISTENT' ? textOf(asLeft) : undefined
    assert.deepEqual(await this.#read(asSent), verdict.denies ? denied : passed)
  }

  #meet(kind: Kind): Promise<ProcessorEvent> {
    const people = this.#people
    switch (kind) {
      case 'new':
        return people.sendHeld(original)
      case 'updated':
        return people.updateHeld(this.#sentBefore.pop(), { Content: 'edited', Metadata: 'edited' })
      case 'NON_PERSISTENT':
        return people.sendHeld({ ...original, Persistence: kind })
      case 'targeted':
        return people.sendHeld({ ...original, Target: [{ MemberArn: people.owner }] })
    }
  }

  /** The message as the last processor leaves it. Each is given what those before it have made of it. */
  async #process(first: ProcessorEvent, { position, denies, changes }: Verdict): Promise<Message> {
    let [event, expected] = [first, first.ChannelMessage]
    for (const turn of [1, 2, 3]) {
      if (turn > 1) event = await this.#people.server.processors.next(expected.MessageId)
      assert.deepEqual(event.ChannelMessage, expected)
      const verdict = denies && turn === position ? 'deny' : 'allow'
      const { ChannelArn, CallbackId } = await this.#people[verdict](event, turn === position ? changes : {})
      assert.deepEqual({ ChannelArn, CallbackId }, { ChannelArn: expected.ChannelArn, CallbackId: event.CallbackId })
      if (verdict === 'deny') return expected
      if (turn === position) expected = changed(expected, changes)
    }
    return expected
  }

  /** Of a denial its sender alone is told, in its own words; of a message that passes, everybody whom it is for. Once. */
  async #assertTold(asSent: Message, passed: Message | undefined): Promise<void> {
    const { sender, target, bystander } = this.#sessions
    const everybody = [sender, target, bystander]
    const event = asSent.LastEditedTimestamp ? 'UPDATE_CHANNEL_MESSAGE' : 'CREATE_CHANNEL_MESSAGE'
    assert.deepEqual(await news(sender), [`PENDING_${event}`, textOf(asSent)])
    if (passed) {
      const audience = asSent.Target ? [sender, target] : everybody
      for (const session of audience) assert.deepEqual(await news(session), [event, textOf(passed)])
    } else {
      assert.deepEqual(await news(sender), [`DENIED_${event}`, textOf(asSent)])
    }
    await this.#people.send({ Type: 'CONTROL', Persistence: 'NON_PERSISTENT', Content: 'no more' })
    for (const session of everybody) assert.equal((await news(session))[1]?.Content, 'no more')
  }

  /** Its text, as the target of a targeted message and anybody else reads it; undefined where there is no message. */
  async #read({ MessageId }: Message) {
    const reading = this.#people.read(MessageId, this.#people.owner)
    return (await outcomeOf(reading)) === 'NotFound' ? undefined : textOf(await reading)
  }
}

/** What is absent stays, a map is replaced whole, and empty Metadata takes it away. */
function changed(message: Message, changes: Partial<ChannelMessageCallback>): Message {
  const { Metadata, ...after } = { ...message, ...changes }
  return { ...after, ...(Metadata && { Metadata }) } as Message
}

async function news(session: SessionClient): Promise<[eventType: string, text: Record<string, unknown>]> {
  const { eventType, payload } = await session.next()
  return [eventType, textOf(payload as Message)]
}

/** What a processor may change, but for the PushNotification: only the processors after it see that. */
function textOf(message: object): Record<string, unknown> {
  const members = ['Content', 'Metadata', 'ContentType', 'MessageAttributes']
  return Object.fromEntries(Object.entries(message).filter(([member, value]) => members.includes(member) && value))
}
