import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import type { SearchField } from '@aws-sdk/client-chime-sdk-messaging'
import { operations } from '../../src/api/index.ts'
import { assertByIndex, PlannedReads } from '../support/plans.ts'
import { type Population, populate } from '../support/population.ts'
import { assertRefused, violation } from '../support/refusals.ts'
import { startTestServer } from '../support/running-server.ts'

const reads = new PlannedReads()
const server = await startTestServer({ aroundStore: reads.around })
const others = await populate(server)

interface Page {
  MaxResults?: number
  NextToken?: string | undefined
}

interface List {
  /** Whose list it is. */
  people: Population
  /** Makes one more that is listed. */
  add(): Promise<unknown>
  page(asked: Page, whose?: Population): Promise<{ items: unknown[] | undefined; NextToken: string | undefined }>
  /** The server has one such list, so a NextToken can be of no other. */
  isAlone?: true
}

/** Each has its own people, so that no list grows by what another adds. */
const lists: Record<string, List> = {
  ListChannelMessages: ofPeople(await populate(server), (people) => ({
    add: () => people.send(),
    async page(asked, { channelArn: ChannelArn, owner: ChimeBearer }) {
      const { ChannelMessages, NextToken } = await server.messaging.listChannelMessages({
        ChannelArn,
        ChimeBearer,
        ...asked,
      })
      return { items: ChannelMessages?.map(({ MessageId }) => MessageId), NextToken }
    },
  })),
  ListChannelMemberships: ofPeople(await populate(server), (people) => ({
    async add() {
      const MemberArn = await people.createUser(randomUUID())
      const { channelArn: ChannelArn, owner: ChimeBearer } = people
      await server.messaging.createChannelMembership({ ChannelArn, ChimeBearer, MemberArn, Type: 'DEFAULT' })
    },
    async page(asked, { channelArn: ChannelArn, owner: ChimeBearer }) {
      const call = { ChannelArn, ChimeBearer, ...asked }
      const { ChannelMemberships, NextToken } = await server.messaging.listChannelMemberships(call)
      return { items: ChannelMemberships?.map(({ Member }) => Member?.Arn), NextToken }
    },
  })),
  ListChannelMembershipsForAppInstanceUser: ofPeople(await populate(server), (people) => ({
    add: () => people.createChannel(),
    async page(asked, { owner: ChimeBearer }) {
      const call = { ChimeBearer, ...asked }
      const { ChannelMemberships, NextToken } = await server.messaging.listChannelMembershipsForAppInstanceUser(call)
      return { items: ChannelMemberships?.map(({ ChannelSummary }) => ChannelSummary?.ChannelArn), NextToken }
    },
  })),
  ListChannelModerators: ofPeople(await populate(server), (people) => ({
    async add() {
      const ChannelModeratorArn = await people.createUser(randomUUID())
      const { channelArn: ChannelArn, owner: ChimeBearer } = people
      await server.messaging.createChannelModerator({ ChannelArn, ChimeBearer, ChannelModeratorArn })
    },
    async page(asked, { channelArn: ChannelArn, owner: ChimeBearer }) {
      const call = { ChannelArn, ChimeBearer, ...asked }
      const { ChannelModerators, NextToken } = await server.messaging.listChannelModerators(call)
      return { items: ChannelModerators?.map(({ Moderator }) => Moderator?.Arn), NextToken }
    },
  })),
  ListChannelsModeratedByAppInstanceUser: ofPeople(await populate(server), (people) => ({
    add: () => people.createChannel(),
    async page(asked, { owner: ChimeBearer }) {
      const call = { ChimeBearer, ...asked }
      const { Channels, NextToken } = await server.messaging.listChannelsModeratedByAppInstanceUser(call)
      return { items: Channels?.map(({ ChannelSummary }) => ChannelSummary?.ChannelArn), NextToken }
    },
  })),
  ListChannels: ofPeople(await populate(server, { Privacy: 'PUBLIC' }), (people) => ({
    async add() {
      // Only every second channel is in the list, and a page is full nevertheless.
      await people.createChannel({ Privacy: 'PRIVATE' })
      await people.createChannel({ Privacy: 'PUBLIC' })
    },
    async page(asked, { appInstanceArn: AppInstanceArn, stranger: ChimeBearer }) {
      const { Channels, NextToken } = await server.messaging.listChannels({ AppInstanceArn, ChimeBearer, ...asked })
      return { items: Channels?.map(({ ChannelArn }) => ChannelArn), NextToken }
    },
  })),
  ListChannelBans: ofPeople(await populate(server), (people) => ({
    async add() {
      const MemberArn = await people.createUser(randomUUID())
      const { channelArn: ChannelArn, owner: ChimeBearer } = people
      await server.messaging.createChannelBan({ ChannelArn, ChimeBearer, MemberArn })
    },
    async page(asked, { channelArn: ChannelArn, owner: ChimeBearer }) {
      const { ChannelBans, NextToken } = await server.messaging.listChannelBans({ ChannelArn, ChimeBearer, ...asked })
      return { items: ChannelBans?.map(({ Member }) => Member?.Arn), NextToken }
    },
  })),
  SearchChannels: ofPeople(await populate(server), (people) => ({
    async add() {
      // Only every second channel is found, and a page is full nevertheless.
      await people.createChannel({ MemberArns: [people.moderator] })
      await people.createChannel()
    },
    async page(asked, { owner: ChimeBearer, member }) {
      const Fields: SearchField[] = [{ Key: 'MEMBERS', Values: [member], Operator: 'INCLUDES' }]
      const { Channels, NextToken } = await server.messaging.searchChannels({ ChimeBearer, Fields, ...asked })
      return { items: Channels?.map(({ ChannelArn }) => ChannelArn), NextToken }
    },
  })),
  ListChannelsAssociatedWithChannelFlow: ofPeople(await populate(server), (people) => {
    const flow = people.createFlow(['first'])
    return {
      async add() {
        const { owner: ChimeBearer } = people
        const association = { ChannelArn: await people.createChannel(), ChannelFlowArn: await flow }
        await server.messaging.associateChannelFlow({ ...association, ChimeBearer })
      },
      async page(asked, whose) {
        const ChannelFlowArn = whose === people ? await flow : await whose.createFlow(['second'])
        const call = { ChannelFlowArn, ...asked }
        const { Channels, NextToken } = await server.messaging.listChannelsAssociatedWithChannelFlow(call)
        return { items: Channels?.map(({ ChannelArn }) => ChannelArn), NextToken }
      },
    }
  }),
  ListAppInstanceUsers: ofPeople(await populate(server), (people) => ({
    add: () => people.createUser(randomUUID()),
    async page(asked, { appInstanceArn: AppInstanceArn }) {
      const { AppInstanceUsers, NextToken } = await server.identity.listAppInstanceUsers({ AppInstanceArn, ...asked })
      return { items: AppInstanceUsers?.map(({ AppInstanceUserArn }) => AppInstanceUserArn), NextToken }
    },
  })),
  ListChannelFlows: ofPeople(await populate(server), (people) => ({
    add: () => people.createFlow(['first']),
    async page(asked, { appInstanceArn: AppInstanceArn }) {
      const { ChannelFlows, NextToken } = await server.messaging.listChannelFlows({ AppInstanceArn, ...asked })
      return { items: ChannelFlows?.map(({ ChannelFlowArn }) => ChannelFlowArn), NextToken }
    },
  })),
  ListAppInstances: {
    ...ofPeople(await populate(server), () => ({
      add: () => server.identity.createAppInstance({ Name: 'Bells' }),
      async page(asked) {
        const { AppInstances, NextToken } = await server.identity.listAppInstances(asked)
        return { items: AppInstances?.map(({ AppInstanceArn }) => AppInstanceArn), NextToken }
      },
    })),
    isAlone: true,
  },
  ListAppInstanceAdmins: ofPeople(await populate(server), (people) => ({
    async add() {
      const { appInstanceArn: AppInstanceArn } = people
      const AppInstanceAdminArn = await people.createUser(randomUUID())
      await server.identity.createAppInstanceAdmin({ AppInstanceArn, AppInstanceAdminArn })
    },
    async page(asked, { appInstanceArn: AppInstanceArn }) {
      const { AppInstanceAdmins, NextToken } = await server.identity.listAppInstanceAdmins({ AppInstanceArn, ...asked })
      return { items: AppInstanceAdmins?.map(({ Admin }) => Admin?.Arn), NextToken }
    },
  })),
}

/** The list with people of its own, who are meant where a test names nobody. */
function ofPeople(
  people: Population,
  list: (people: Population) => { add: List['add']; page(asked: Page, whose: Population): ReturnType<List['page']> },
): List {
  const { add, page } = list(people)
  return { people, add, page: (asked, whose = people) => page(asked, whose) }
}

/** All pages of this size, one after the other. */
async function pages({ page }: List, MaxResults: number): Promise<unknown[][]> {
  const gathered: unknown[][] = []
  let NextToken: string | undefined
  do {
    const { items, NextToken: next } = await page({ MaxResults, NextToken })
    gathered.push(items!)
    NextToken = next
  } while (NextToken !== undefined)
  return gathered
}

test('every operation with pages has a row', () => {
  const paged = operations.filter(({ output }) => 'NextToken' in output.properties).map(({ name }) => name)
  assert.deepEqual(Object.keys(lists).sort(), paged.sort(), 'each list of this API has its row in `lists` above')
})

const wrongToken = 'The NextToken does not belong to this list: repeat the call that gave it, with the same parameters'

for (const [operation, list] of Object.entries(lists)) {
  suite(operation, () => {
    test('returns 50 items by default, and a NextToken if there are more', async () => {
      const { items } = await list.page({})
      for (let count = items!.length; count < 50; count += 1) await list.add()
      assert.equal((await list.page({})).NextToken, undefined)
      await list.add()
      const { items: first, NextToken } = await list.page({})
      assert.equal(first?.length, 50)
      assert.equal((await list.page({ NextToken })).items?.length, 1)
    })

    test('returns every item once, in the same order, with any size of pages', async () => {
      const whole = (await pages(list, 50)).flat()
      assert.equal(new Set(whole).size, 51)
      for (const size of [1, 7, 17]) {
        const inPages = await pages(list, size)
        assert.deepEqual(inPages.flat(), whole)
        assert.equal(inPages.length, Math.ceil(51 / size), `pages of ${size}`)
      }
    })

    test('takes a MaxResults from 1 to 50', async () => {
      const rejected = (MaxResults: number, constraint: string) =>
        assertRefused(list.page({ MaxResults }), 'BadRequest', violation('maxResults', constraint))
      await rejected(0, 'have value greater than or equal to 1')
      await rejected(51, 'have value less than or equal to 50')
      await rejected(1.5, 'have value of type integer')
    })

    test('takes a NextToken with another MaxResults', async () => {
      const { NextToken } = await list.page({ MaxResults: 1 })
      assert.equal((await list.page({ MaxResults: 50, NextToken })).items?.length, 50)
    })

    test('takes an empty NextToken for none, as loops over pages begin with', async () => {
      const { items, NextToken } = await list.page({ MaxResults: 50 })
      const empty = await list.page({ MaxResults: 50, NextToken: '' })
      assert.deepEqual([empty.items, typeof empty.NextToken], [items, typeof NextToken])
    })

    test('rejects a NextToken of another list, and what is none', async () => {
      const { NextToken } = await list.page({ MaxResults: 1 })
      if (!list.isAlone) await assertRefused(list.page({ NextToken }, others), 'BadRequest', wrongToken)
      const [position, signature] = NextToken!.split('.')
      for (const garbage of ['garbage', `${position}.`, `.${signature}`, `${position}0.${signature}`, '€.\0']) {
        await assertRefused(list.page({ NextToken: garbage }), 'BadRequest', wrongToken)
      }
      await assertRefused(list.page({ NextToken: 't'.repeat(2049) }), 'BadRequest', /less than or equal to 2048/)
    })
  })
}

suite('a NextToken', () => {
  test('is only valid for its own operation', async () => {
    const { NextToken } = await lists.ListChannelMemberships!.page({ MaxResults: 1 })
    await assertRefused(lists.ListChannelMessages!.page({ NextToken }), 'BadRequest', wrongToken)
    await assertRefused(lists.ListChannelFlows!.page({ NextToken }), 'BadRequest', wrongToken)
  })

  test('is only valid for its own bearer', async () => {
    const { channelArn: ChannelArn, owner, member } = lists.ListChannelMessages!.people
    const { NextToken } = await server.messaging.listChannelMessages({ ChannelArn, ChimeBearer: owner, MaxResults: 1 })
    const call = server.messaging.listChannelMessages({ ChannelArn, ChimeBearer: member, NextToken })
    await assertRefused(call, 'BadRequest', wrongToken)
  })

  test('survives a restart', async () => {
    const before = new Map<List, string | undefined>()
    for (const list of Object.values(lists)) before.set(list, (await list.page({ MaxResults: 20 })).NextToken)
    await server.restart()
    for (const [list, NextToken] of before) assert.equal((await list.page({ NextToken })).items?.length, 31)
  })

  test('returns nothing twice and skips nothing if the list grows meanwhile', async () => {
    const { page, add } = lists.ListChannelMessages!
    const { items: first, NextToken } = await page({ MaxResults: 25 })
    await add()
    const { items: rest } = await page({ NextToken })
    assert.equal(new Set([...first!, ...rest!]).size, 51)
  })
})

test('the rows of every list are found by an index, in its order', async () => {
  await reads.fill(others.appInstanceArn)
  reads.statements.clear()
  for (const { page } of Object.values(lists)) await page({})
  const { appInstanceArn: AppInstanceArn, admin: ChimeBearer } = others
  for (const Privacy of [undefined, 'PRIVATE'] as const) {
    await server.messaging.listChannels({ AppInstanceArn, ChimeBearer, Privacy })
  }
  assert.ok(reads.statements.size >= Object.keys(lists).length, 'every list has a statement')
  for (const sql of [...reads.statements]) assertByIndex(await reads.planOf(sql), sql)
})
