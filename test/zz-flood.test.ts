import { test } from 'node:test'
import { populate } from './support/population.ts'
import { outcomeOf } from './support/refusals.ts'
import { startTestServer } from './support/running-server.ts'
const server = await startTestServer()
test('flood', async () => {
  for (let round = 0; round < 4; round++) {
    const people = await populate(server)
    await people.attachFlow(['first'])
    let going = true
    const outcomes: Record<string, number> = {}
    const loop = async (ChimeBearer: string) => { while (going) { const o = await outcomeOf(people.send({ ChimeBearer })); outcomes[o] = (outcomes[o] ?? 0) + 1; if (o !== 'accepted') break } }
    const loops = [...Array.from({ length: 24 }, () => loop(people.member)), ...Array.from({ length: 8 }, () => loop(people.owner))]
    while ((outcomes.accepted ?? 0) < 400) await new Promise((r) => setTimeout(r, 20))
    const before = outcomes.accepted
    const t = performance.now()
    const o = await outcomeOf(server.messaging.createChannelBan({ ChannelArn: people.channelArn, MemberArn: people.member, ChimeBearer: people.owner }))
    console.log(round, o, (performance.now() - t).toFixed(0), 'ms', before, outcomes)
    going = false
    await Promise.all(loops)
  }
})
