import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { unlessPermitted, unlessRequired } from '../support/required.ts'
import { setprivRefusal } from '../support/setpriv.ts'
import { main, ShortageStage, type Talk } from './stage.ts'

/** A user that has no other process: the limit counts all threads of a user. */
const uid = 61_234
/** Enough for a function's process, which has about eleven threads. */
const spare = 40

const asUser = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups']
/** It may read every file, since the project may lie in a folder that is for root alone. */
const readingAll = [...asUser, '--inh-caps=-all,+dac_read_search', '--ambient-caps=-all,+dac_read_search']
/** A container may lack that capability. Then the project must be open to every user. */
const withoutCapability = setprivRefusal(readingAll)
const options = withoutCapability === false ? readingAll : asUser

const skip =
  unlessPermitted(
    process.getuid?.() !== 0 && 'only root can give a server a user of its own, whose processes are limited',
  ) ||
  unlessPermitted(
    withoutCapability && setprivRefusal(asUser, [process.execPath, '--check', main]) && withoutCapability,
  ) ||
  unlessRequired(process.platform !== 'linux' && 'limits of a running process are set on Linux alone')

for (const fallbackAction of ['CONTINUE', 'ABORT'] as const) {
  test(`no text gets out without processes: ${fallbackAction}`, { skip }, async (t) => {
    const stage = await ShortageStage.start(t, { as: ['setpriv', ...options], uid })
    const talk = await stage.talk(fallbackAction)
    const threads = readdirSync(`/proc/${stage.pid}/task`).length

    const held: string[] = []
    for (let free = 0; free < 8; free++) {
      stage.limit(`--nproc=${threads + free}:`)
      held.push(await stage.send(talk))
    }
    await stage.metric('carillon_shortages_total{kind="processes"}', 3)
    for (const messageId of held) assert.equal(await stage.status(talk, messageId), 'PENDING')

    stage.limit(`--nproc=${threads + spare}:`)
    const told = await eventTypes(talk, 2 * held.length)
    assert.equal(told.filter((type) => type === 'DENIED_CREATE_CHANNEL_MESSAGE').length, held.length)
    await stage.rename(talk)
    assert.equal((await talk.listener.next()).eventType, 'UPDATE_CHANNEL', 'the first that the other member is told')
  })
}

const eventTypes = ({ own }: Talk, count: number) => own.eventTypes(count)
