import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { eventKinds } from '../../src/api/events/index.ts'
import { populate } from '../support/population.ts'
import { unlessRequired } from '../support/required.ts'
import { startTestServer } from '../support/running-server.ts'
import { chatStory } from './chat-story.ts'
import { happenings, type Made } from './event-kinds.ts'
import { LiveSession, trust } from './live-session.ts'
import { missingV2, type Sdk, sdkV2, sdkV2Chime, sdkV3 } from './sdk.ts'
import { telehealthStory } from './telehealth-story.ts'
import { televisitStory } from './televisit-story.ts'

/*
 * AWS's sample applications as they meet this server: their calls, in their order, by the SDKs that they use, with the real
 * amazon-chime-sdk-js. They were read, and written anew here without their pages.
 */

const server = await startTestServer()
trust(server)

function tell<Scene>(name: string, sdk: () => Sdk, story: Record<string, (scene: Scene) => Promise<void>>): void {
  const missing = sdk === v3 ? false : missingV2
  suite(name, { skip: unlessRequired(missing) }, () => {
    const scene = { server, sdk: sdk() } as Scene
    let before: Promise<void> = Promise.resolve()
    for (const [does, step] of Object.entries(story)) {
      test(does, () => {
        // Without a step that has failed, those after it would wait for what never comes.
        before = before.then(() => step(scene))
        return before
      })
    }
  })
}

const v3 = () => sdkV3(server)
tell("AWS's chat sample, with SDK v2", () => sdkV2(server), chatStory)
tell("AWS's chat sample, with SDK v3", v3, chatStory)
tell("AWS's televisit sample, with SDK v2 and its namespace AWS.Chime", () => sdkV2Chime(server), televisitStory)
tell("AWS's televisit sample, with SDK v3", v3, televisitStory)
tell("AWS's telehealth sample, with SDK v3", v3, telehealthStory)

suite('two live sessions of amazon-chime-sdk-js', async () => {
  const people = await populate(server)
  const start = async (arn: string) => LiveSession.start(arn, await v3().of(arn), { prefetch: true })
  const [member, owner] = [await start(people.member), await start(people.owner)]
  const made = { MessageId: undefined, newcomer: '' } as Made

  test('get the channels that they are in', async () => {
    for (const session of [member, owner]) {
      assert.deepEqual(await session.take(2), ['SESSION_ESTABLISHED', 'CHANNEL_DETAILS'])
    }
  })

  for (const [what, { happen, ...expected }] of Object.entries(happenings)) {
    test(`hear of it when ${what}`, async () => {
      await happen(people, made)
      assert.deepEqual(await member.take(expected.member.length), expected.member)
      assert.deepEqual(await owner.take(expected.owner.length), expected.owner)
    })
  }

  test('have then got every kind of event there is', () => {
    const heard = new Set([...member.types, ...owner.types])
    assert.deepEqual([...heard].sort(), ['SESSION_ESTABLISHED', 'CHANNEL_DETAILS', ...Object.keys(eventKinds)].sort())
  })
})
