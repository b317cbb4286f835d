import type { Tag } from '@aws-sdk/client-chime-sdk-identity'
import type { ProcessorEvent } from '../../../src/processor/processor-event.ts'
import type { ManualClock } from '../../support/manual-clock.ts'
import { type Population, populate } from '../../support/population.ts'
import type { TestServer } from '../../support/running-server.ts'

/** One resource of every kind that can have tags, each created with this tag. */
export async function createTagged(server: TestServer, tag: Tag): Promise<Record<string, string>> {
  const Tags = [tag]
  const people = await populate(server)
  const { AppInstanceArn } = await server.identity.createAppInstance({ Name: 'Bells', Tags })
  const user = { AppInstanceArn: people.appInstanceArn, AppInstanceUserId: 'tagged', Name: 'Tagged', Tags }
  const { AppInstanceUserArn } = await server.identity.createAppInstanceUser(user)
  return {
    AppInstance: AppInstanceArn!,
    AppInstanceUser: AppInstanceUserArn!,
    Channel: await people.createChannel({ Tags }),
    ChannelFlow: await people.createFlow(['first'], { Tags }),
  }
}

/** An ARN of each kind of which there is no resource, and some that no resource can have. */
export function withoutResource(appInstanceArn: string): string[] {
  const things = ['user/nobody', 'bot/nobody', 'channel/nothing', 'channel-flow/nothing', 'bell/b', 'user/a/b']
  return [
    `${appInstanceArn}0`,
    ...things.map((thing) => `${appInstanceArn}/${thing}`),
    'arn:aws:lambda:us-east-1:111122223333:function:f',
  ]
}

/** The resource's tags as the identity service's client lists them. */
export const tagsOf = async (server: TestServer, ResourceARN: string): Promise<Tag[] | undefined> =>
  (await server.identity.listTagsForResource({ ResourceARN })).Tags

/** Waits until the message that a processor has is past its deadline. It begins anew when the hand-off is recorded. */
export async function passDeadline(people: Population, { ChannelMessage }: ProcessorEvent, clock: ManualClock) {
  while ((await people.status(ChannelMessage.MessageId)) === 'PENDING') clock.advance(1_000)
}
