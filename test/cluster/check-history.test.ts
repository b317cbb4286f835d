import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { checkHistory } from './check-history.ts'
import { emptyHistory, type History } from './history.ts'
import { type Action, channelArns, endings, HistoryModel, users } from './history-model.ts'
import { plantedChanges } from './planted-changes.ts'
import { plantedRecords } from './planted-records.ts'
import { plantedSights } from './planted-sights.ts'

const plantedFaults = [...plantedRecords, ...plantedChanges, ...plantedSights]

function historyOf(actions: Action[]): History {
  const model = new HistoryModel()
  for (const action of actions) model.act(action)
  return model.end()
}

const send = (ending: (typeof endings)[number], sender = 0): Action => {
  return { do: 'send', ending, sender, channel: 0, acknowledged: true }
}

const sendInClub: Action = { do: 'send', ending: 'free', sender: 0, channel: 2, acknowledged: true }

/** A user joins, leaves and joins again. */
const visits: Action[] = [
  { do: 'join', user: 1 },
  sendInClub,
  { do: 'leave', user: 1 },
  sendInClub,
  { do: 'join', user: 1 },
  sendInClub,
]

/** One of everything: all endings from two senders in one channel, with everybody there, and a look in each way. */
const everything: Action[] = [
  ...[0, 1, 2].map((user): Action => ({ do: 'connect', user, early: false })),
  ...endings.flatMap((ending) => [send(ending), send(ending, 1)]),
  ...endings.flatMap((): Action[] => [
    { do: 'decide', which: 0 },
    { do: 'decide', which: 0 },
  ]),
  ...(['list', 'get', 'prefetch'] as const).map((way): Action => ({ do: 'look', way, user: 2, channel: 0 })),
  { do: 'lose', which: 1, unheard: 2 },
  { do: 'connect', user: 1, early: true },
  send('free'),
  send('changed'),
  ...visits,
  { do: 'change', way: 'edit', which: 3 },
  { do: 'change', way: 'redact', which: 1 },
  { do: 'change', way: 'delete', which: 3 },
]

const says = (history: History) => checkHistory(history).map(({ says }) => says)

suite('the history checker', () => {
  test('finds nothing wrong with a history in which nothing is', () => {
    assert.deepEqual(says(historyOf(everything)), [])
  })

  for (const { name, rule, says: sentence, plant } of plantedFaults) {
    test(`notices when ${name}`, () => {
      const history = historyOf(everything)
      assert.ok(plant(history, 0), 'the history has a place for the fault')
      const violations = checkHistory(history)
      const found = violations.some((violation) => violation.rule === rule && sentence.test(violation.says))
      assert.ok(found, `found only ${JSON.stringify(violations, undefined, 1)}`)
    })
  }

  test('lets a session that was lost miss its end, and one that was not miss nothing', () => {
    const [cut, whole] = [historyOf(everything), historyOf(everything)]
    cut.periods[0]!.seen.pop()
    cut.periods[0]!.closedAt = 10_000
    whole.periods[0]!.seen.pop()
    assert.deepEqual(says(cut), [])
    assert.match(says(whole)[0]!, /never heard CREATE_CHANNEL_MESSAGE/)
  })

  test('lets a session miss what was made before it was established, and nothing after', () => {
    const [late, missed] = [historyOf(everything), historyOf(everything)]
    const [[heard], createdAt] = [late.periods[0]!.seen, late.end.log[0]!.createdAt]
    assert.equal(heard?.subject, late.end.log[0]?.subject)
    late.periods[0]!.establishedAt = createdAt
    late.periods[0]!.seen.shift()
    missed.periods[0]!.establishedAt = createdAt - 1
    missed.periods[0]!.seen.shift()
    assert.deepEqual(says(late), [])
    assert.match(says(missed)[0]!, /never heard CREATE_CHANNEL_MESSAGE of .*, number 1 of/)
  })

  test('lets a session miss a stay that began in a trouble, and no other', () => {
    const history = historyOf([{ do: 'connect', user: 1, early: false }, ...visits])
    const [join] = history.end.log
    assert.equal(join?.eventType, 'CREATE_CHANNEL_MEMBERSHIP')
    history.periods[0]!.seen.splice(0, 3)
    assert.match(says(history)[0]!, /never heard/)
    const trouble = { from: join!.createdAt, to: join!.createdAt }
    history.troubles = [trouble]
    assert.deepEqual(says(history), [])
    history.troubles = [{ from: join!.createdAt + 10_000, to: join!.createdAt + 10_000 }]
    assert.match(says(history)[0]!, /never heard/)
    history.troubles = [trouble]
    history.periods[0]!.seen.unshift({ ...join! })
    assert.equal(says(history).length, 1, 'the join was received, and nothing else of the stay')
  })

  test('lets an event that was read from the log have the text that is there by then, or none', () => {
    const history = historyOf(everything)
    const { seen } = history.periods[0]!
    const pending = seen.find(({ text }) => text === 'RAW-2 changed')
    const denied = seen.find(({ eventType }) => eventType === 'DENIED_CREATE_CHANNEL_MESSAGE')
    const passing = seen.find(({ text }) => text === 'OK-8 passing')
    pending!.text = 'OK-2 changed'
    delete denied!.text
    delete passing!.text
    assert.deepEqual(says(history), [])
  })

  test('lets a message be that is gone with its channel, and what was held of it', () => {
    const held: Action = { do: 'send', ending: 'changed', sender: 0, channel: 2, acknowledged: true }
    const deleted = [...everything, held, { do: 'delete club' } as const, sendInClub]
    assert.deepEqual(says(historyOf(deleted)), [])
  })

  test('lets a message be that was never acknowledged, and judges it if it is there', () => {
    const history = historyOf([{ ...send('denied'), acknowledged: false } as Action])
    assert.deepEqual(says(history), [])
    const unknown = { ...history, end: emptyHistory().end }
    assert.deepEqual(says(unknown), [])
  })
})

const number = fc.nat({ max: 1_000 })
const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      ending: fc.constantFrom(...endings),
      sender: number,
      channel: number,
      acknowledged: fc.boolean(),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('decide' as const), which: number }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('join' as const, 'leave' as const),
      user: number,
    }) as fc.Arbitrary<Action>,
  },
  { weight: 1, arbitrary: fc.constant({ do: 'delete club' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('change' as const),
      way: fc.constantFrom('edit' as const, 'redact' as const, 'delete' as const),
      which: number,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('connect' as const), user: number, early: fc.boolean() }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('lose' as const), which: number, unheard: fc.nat({ max: 3 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant('look' as const),
      way: fc.constantFrom('list' as const, 'get' as const, 'prefetch' as const),
      user: number,
      channel: number,
    }),
  },
)

suite('the history checker, on any history', () => {
  const actions = fc.array(action, { maxLength: 60, size: 'max' })
  // By chance alone, a user hardly ever joins twice while it has a session.
  const listened: Action[] = [{ do: 'connect', user: 1, early: false }, ...visits]
  const histories = fc.tuple(fc.constantFrom([], listened), actions).map((parts) => parts.flat())

  test('finds nothing wrong with what a server without faults does', () => {
    fc.assert(fc.property(histories, (actions) => assert.deepEqual(says(historyOf(actions)), [])))
  })

  test('notices each fault wherever it is planted', () => {
    const planted = new Map(plantedFaults.map(({ name }) => [name, 0]))
    const faults = fc.constantFrom(...plantedFaults)
    fc.assert(
      fc.property(histories, faults, fc.nat(), (actions, { name, rule, plant }, pick) => {
        const history = historyOf(actions)
        if (!plant(history, pick)) return
        planted.set(name, planted.get(name)! + 1)
        const rules = checkHistory(history).map((violation) => violation.rule)
        assert.ok(rules.includes(rule), `${name} broke only ${rules.join(', ') || 'nothing'}`)
      }),
      { numRuns: 8_000 },
    )
    for (const [name, times] of planted) assert.ok(times > 0, `${name} was never planted`)
  })

  test('judges 100,000 events in seconds', { timeout: 20_000 }, () => {
    const history = long(20_000)
    assert.ok(history.periods.reduce((sum, { seen }) => sum + seen.length, 0) >= 100_000)
    assert.deepEqual(checkHistory(history), [])
  })
})

/** So many changed messages, heard by everybody; the model would take the square of their number. */
function long(messages: number): History {
  const history: History = {
    ...emptyHistory(),
    channels: channelArns.map((channelArn) => ({ channelArn, memberArns: users })),
  }
  const [channelArn] = channelArns as [string]
  const [senderArn] = users as [string]
  history.periods = users
    .concat(users)
    .map((userArn, index) => ({ session: `${index}`, userArn, establishedAt: 0, closedAt: undefined, seen: [] }))
  for (let n = 0; n < messages; n++) {
    const [messageId, text, released] = [`message-${n}`, `RAW-${n}`, `OK-${n}`]
    const persistence = 'PERSISTENT'
    const fate = { persistence, held: true, outcome: 'SENT', released } as const
    history.sends.push({ token: `${n}`, channelArn, senderArn, text, ...fate, messageIds: [messageId] })
    const about = { channelArn, subject: messageId }
    const [pending, sent] = ['PENDING_CREATE_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE'] as const
    history.end.log.push(
      { ...about, seq: 2 * n + 1, eventType: pending, audience: { to: 'users', users: [senderArn] }, createdAt: n + 1 },
      { ...about, seq: 2 * n + 2, eventType: sent, audience: { to: 'members' }, createdAt: n + 1 },
    )
    history.end.messages.push({ channelArn, messageId, status: 'SENT', text: released })
    for (const { userArn, seen } of history.periods) {
      if (userArn === senderArn) seen.push({ ...about, eventType: pending, text })
      seen.push({ ...about, eventType: sent, text: released })
    }
  }
  const messagesSeen = history.end.messages
  for (const userArn of users) {
    for (const arn of channelArns) {
      const shown = arn === channelArn ? messagesSeen : []
      history.looks.push({ way: 'list', userArn, channelArn: arn, whole: true, messages: shown })
    }
  }
  return history
}
