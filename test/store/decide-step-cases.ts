import assert from 'node:assert/strict'
import type { FlowEvent } from '../../src/flow/transition.ts'
import type { RecordHandOff, RunResult } from '../../src/store/changes.ts'
import type { Committed, Store } from '../../src/store/store.ts'
import type { Job, MessageRow, MessageText, StepRow } from '../../src/store/tables.ts'
import {
  ana,
  ben,
  changeAfter,
  type HeldMessage,
  heldMessage,
  lobby,
  openChannel,
  plainMessage,
  processors,
  readJob,
  readMessage,
  readStep,
  verdictOn,
} from '../support/rows.ts'
import { type Cases, listenTo } from './store-suite.ts'

const onlyAna = { to: 'users', users: [ana] }
const isOver = { result: 'rejected', because: 'step is over' }

/** How a run ends, and the messages that the sender and other users then read. */
const endings: { by: FlowEvent; persistence: string; stays: boolean; event: string; content: string }[] = [
  ...endingsBy({ type: 'Verdict', deny: false, text: { content: '"h***o"' } }, 'CREATE_CHANNEL_MESSAGE', '"h***o"'),
  ...endingsBy({ type: 'Verdict', deny: true, text: {} }, 'DENIED_CREATE_CHANNEL_MESSAGE', '"hello"'),
  ...endingsBy(
    { type: 'Unreached', reason: 'no such function', permanent: true },
    'FAILED_CREATE_CHANNEL_MESSAGE',
    '"hello"',
  ),
]

function endingsBy(by: FlowEvent, event: string, content: string) {
  const stays = !event.startsWith('DENIED')
  return [
    { by, persistence: 'PERSISTENT', stays, event, content },
    { by, persistence: 'NON_PERSISTENT', stays: false, event, content },
  ]
}

const endingCases: Cases = Object.fromEntries(
  endings.map(({ by, persistence, stays, event, content }) => [
    `${event} of a ${persistence} message carries ${content} and ${stays ? 'keeps the row' : 'leaves no row'}`,
    async ({ store }) => {
      const { job } = await hold(store, heldMessage({ persistence, created_at: 1_000 }))
      const told = listenTo(store)
      const change = changeAfter(job, by, 2_000)
      await store.commit(change)
      const shown = told[0]?.events[0]?.about as MessageRow
      assert.equal(shown.content, content)
      assert.equal(told[0]?.events[0]?.eventType, event)
      assert.deepEqual(told[0]?.events[0]?.audience, event.startsWith('CREATE') ? { to: 'members' } : onlyAna)
      const row = await readMessage(store.read, job.message.message_id)
      assert.deepEqual(row && { ...row }, stays ? shown : undefined)
      const head = await store.read.get<{ last_message_at: number | null }>('SELECT last_message_at FROM channel_head')
      assert.equal(head?.last_message_at, event.startsWith('CREATE') && stays ? 1_000 : null)
      const logged = await store.read.get<object>('SELECT seq, event_type, created_at FROM channel_log WHERE seq = 2')
      assert.deepEqual({ ...logged }, { seq: 2, event_type: event, created_at: 2_000 })
    },
  ]),
)

export const decideStepCases: Cases = {
  async 'the first of two verdicts on one step in one batch counts'({ store }) {
    const { job } = await hold(store)
    const told = listenTo(store)
    const outcomes = await Promise.all([
      store.commit(verdictOn(job, { text: { content: '"first"' } })),
      store.commit(verdictOn(job, { deny: true })),
    ])
    assert.deepEqual(outcomes, [{ result: 'decided' }, isOver])
    assert.deepEqual(
      told.flatMap(({ decided }) => decided),
      [job.step.callback_id],
    )
    assert.equal((await readMessage(store.read, job.message.message_id))?.content, '"first"')
  },

  async 'a verdict on an ended step is rejected and changes nothing'({ store }) {
    const { job } = await hold(store)
    await store.commit(verdictOn(job, { deny: true }))
    const before = await stepOf(store, job)
    const told = listenTo(store)
    assert.deepEqual(await store.commit(verdictOn(job, { text: { content: '"late"' } })), isOver)
    assert.deepEqual(await stepOf(store, job), before)
    assert.deepEqual(
      told.flatMap(({ events, jobs, decided }) => [...events, ...jobs, ...decided]),
      [],
    )
  },

  async 'a verdict before the last step opens the next one, and does not change the message'({ store }) {
    const { job } = await hold(store, heldMessage({}, processors(['redact', 'ABORT'], ['translate', 'ABORT'])))
    const told = listenTo(store)
    const change = verdictOn(job, { text: { content: '"h***o"' } }, 5_000)
    assert.deepEqual(await store.commit(change), { result: 'decided' })
    const next = await readJob(store.read, change.next?.callback_id ?? '')
    assert.deepEqual(told, [
      {
        events: [],
        jobs: [{ step: change.next, run: change.run, message: job.message }],
        decided: [job.step.callback_id],
        ended: [],
      },
    ])
    assert.deepEqual([next.step.position, next.step.state, next.step.owner], [1, 'DISPATCHING', 'node-1'])
    assert.deepEqual([next.run.state, next.run.text_json], ['RUNNING', '{"content":"\\"h***o\\""}'])
    assert.deepEqual([next.message.status, next.message.content], ['PENDING', '"hello"'])
  },

  async 'an ended run keeps its steps and the sizes of their changes, and no text'({ store }) {
    const { job } = await hold(store)
    await store.commit(verdictOn(job, { text: { content: '"x"', metadata: '"yz"' } }, 5_000))
    const run = await store.read.get<object>('SELECT state, text_json, ended_at FROM flow_run')
    assert.deepEqual({ ...run }, { state: 'SENT', text_json: null, ended_at: 5_000 })
    const step = await stepOf(store, job)
    assert.deepEqual(
      { state: step?.state, decidedAt: step?.decided_at, changes: JSON.parse(step?.changes_json ?? 'null') },
      { state: 'ALLOWED', decidedAt: 5_000, changes: { content: [7, 3], metadata: [0, 4] } },
    )
  },

  async 'the event of a message denied after changes has the text that its sender sent'({ store }) {
    const { job } = await hold(store, heldMessage({}, processors(['redact', 'ABORT'], ['judge', 'ABORT'])))
    const change = verdictOn(job, { text: { content: '"h***o"' } })
    await store.commit(change)
    const told = listenTo(store)
    await store.commit(verdictOn(await readJob(store.read, change.next?.callback_id ?? ''), { deny: true }))
    assert.equal((told[0]?.events[0]?.about as MessageRow | undefined)?.content, '"hello"')
  },

  async 'only the target and the sender receive a targeted message'({ store }) {
    const { job } = await hold(store, heldMessage({ target_arn: ben }))
    const told = listenTo(store)
    await store.commit(verdictOn(job))
    assert.deepEqual(told[0]?.events[0]?.audience, { to: 'users', users: [ben, ana] })
  },

  async 'a verdict whose next step cannot be written only fails itself, and the step stays open'({ store }) {
    const { job } = await hold(store, heldMessage({}, processors(['redact', 'ABORT'], ['translate', 'ABORT'])))
    const change = verdictOn(job)
    const broken = { ...change, next: job.step }
    const neighbour = store.commit(plainMessage())
    await assert.rejects(store.commit(broken))
    assert.equal((await neighbour).result, 'accepted')
    assert.equal((await stepOf(store, job))?.state, 'DISPATCHING')
    assert.deepEqual(await store.commit(change), { result: 'decided' })
  },

  async 'a verdict on a deleted message ends its run without an event'({ store }) {
    const { job } = await hold(store)
    await store.transaction((transaction) => transaction.run('DELETE FROM channel_message'))
    const told = listenTo(store)
    assert.deepEqual(await store.commit(verdictOn(job)), { result: 'decided' })
    const [{ ended, ...rest }, ...others] = told as [Committed]
    assert.deepEqual([rest, others], [{ events: [], jobs: [], decided: [job.step.callback_id] }, []])
    assert.deepEqual(
      ended.map(({ run, step, processorName, changedBy }) => [run.state, step.state, processorName, changedBy]),
      [['SENT', 'ALLOWED', 'redact', []]],
    )
  },

  async 'an older message that is SENT late does not move the time of the last message back'({ store }) {
    const { job } = await hold(store, heldMessage({ created_at: 1_000 }))
    await store.commit(plainMessage({ created_at: 2_000 }))
    await store.commit(verdictOn(job, {}, 3_000))
    const head = await store.read.get<{ last_message_at: number }>('SELECT last_message_at FROM channel_head')
    assert.equal(head?.last_message_at, 2_000)
  },

  async 'a hand-off is recorded while the step is open'({ store }) {
    const { job } = await hold(store)
    const change = changeAfter(job, { type: 'Crashed', reason: 'it threw' }, 1_000)
    assert.deepEqual(await store.commit(change), { result: 'recorded' })
    const step = await stepOf(store, job)
    assert.deepEqual(step, change.step)
    assert.deepEqual([step?.attempts, step?.owner, step?.due_at], [1, '', 61_000])
  },

  async 'a failure is recorded with any text'({ store }) {
    const { job } = await hold(store)
    const change = changeAfter(job, { type: 'Crashed', reason: 'it said "\0"' }, 1_000)
    assert.deepEqual(await store.commit(change), { result: 'recorded' })
    assert.match((await stepOf(store, job))?.failure ?? '', /^it said ".*"$/s)
    assert.equal((await store.commit(verdictOn(job, { deny: true }))).result, 'decided')
  },

  async 'a hand-off of an ended or unknown step is rejected and changes nothing'({ store }) {
    const { job } = await hold(store)
    await store.commit(verdictOn(job))
    const before = await stepOf(store, job)
    const late = changeAfter(job, { type: 'Completed' }, 1_000)
    assert.deepEqual(await store.commit(late), isOver)
    assert.deepEqual(
      await store.commit({ ...late, step: { ...job.step, callback_id: 'none' } } as RecordHandOff),
      isOver,
    )
    assert.deepEqual(await stepOf(store, job), before)
  },

  async 'a step that another node has taken is not changed, except by a verdict'({ store }) {
    const { job } = await hold(store)
    const take = {
      kind: 'TakeSteps',
      owner: 'node-2',
      deadNode: 'node-1',
      now: 1e9,
      againAt: 2e9,
      stepsMax: 1,
    } as const
    assert.equal((await store.commit(take)).length, 1)
    const before = await stepOf(store, job)
    for (const event of [
      { type: 'Crashed', reason: 'it threw' },
      { type: 'Unreached', reason: 'no such function', permanent: true },
    ] as const) {
      const late = changeAfter(job, event, 1_000)
      assert.equal(late.expectedOwner, 'node-1')
      assert.deepEqual(await store.commit(late), isOver)
    }
    assert.deepEqual(await stepOf(store, job), before)
    assert.deepEqual(await store.commit(verdictOn(job, {}, 1_000)), { result: 'decided' })
  },

  async 'any node may decide a free step that it has read as free'({ store }) {
    const { job } = await hold(store)
    await store.commit(changeAfter(job, { type: 'Crashed', reason: 'it threw' }, 1_000))
    const read = plain(await readJob(store.read, job.step.callback_id))
    assert.equal(read.step.owner, '')
    assert.deepEqual(await store.commit(changeAfter(read, { type: 'Due' }, 1e9)), { result: 'decided' })
  },

  async 'the result of a run is written unchanged'({ store }) {
    const { job } = await hold(store)
    const text: MessageText = {
      content: '"x"',
      metadata: '"y"',
      content_type: '"z"',
      message_attributes_json: '{}',
      push_notification_json: '{}',
    }
    const detail = 'Processor invocation failed'
    const message: MessageRow = { ...job.message, ...text, status: 'FAILED', status_detail: detail, updated_at: 4_000 }
    const runResult: RunResult = {
      message,
      shown: message,
      event: { eventType: 'FAILED_CREATE_CHANNEL_MESSAGE', audience: { to: 'users', users: [ana] } },
    }
    await store.commit({ ...verdictOn(job, {}, 4_000), runResult })
    const row = await readMessage(store.read, job.message.message_id)
    assert.equal(row?.status_detail, 'Processor invocation failed')
    assert.deepEqual([row?.status, row?.updated_at, row?.channel_arn], ['FAILED', 4_000, lobby])
    assert.deepEqual({ ...row, ...text }, { ...row })
  },

  ...endingCases,
}

async function hold(store: Store, change: HeldMessage = heldMessage()): Promise<{ job: Job }> {
  await openChannel(store)
  await store.commit(change)
  return { job: plain(await readJob(store.read, change.flow.step.callback_id)) }
}

const plain = ({ step, run, message }: Job): Job => ({ step: { ...step }, run: { ...run }, message: { ...message } })

async function stepOf(store: Store, { step }: Job): Promise<StepRow | undefined> {
  const row = await readStep(store.read, step.callback_id)
  return row && { ...row }
}
