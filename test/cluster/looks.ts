import { setTimeout } from 'node:timers/promises'
import { isPassing } from './clients.ts'
import type { History, Look, SeenMessage } from './history.ts'
import { seenMessage } from './listeners.ts'
import { channelsOf, type Stage } from './stage.ts'

const lookEveryMs = 250

/** Somebody who lists histories and gets messages, now this one and now that one. */
export async function lookOn(
  stage: Stage,
  history: History,
  random: () => number,
  until: AbortSignal,
): Promise<string[]> {
  const one = <T>(list: T[]) => list[Math.floor(random() * list.length)] as T
  const refusals: string[] = []
  while (!until.aborted) {
    const userArn = one(stage.userArns)
    const send = history.sends.length > 0 ? one(history.sends.slice(-200)) : undefined
    try {
      history.looks.push(await list(stage, one([...stage.channelArns.values()]), userArn, { pagesMax: 3 }))
      if (send?.messageIds[0]) history.looks.push(await get(stage, send.channelArn, userArn, send.messageIds[0]))
    } catch (error) {
      if (!isPassing(error)) refusals.push(`looking was answered ${error}`)
    }
    await setTimeout(lookEveryMs)
  }
  return refusals
}

/** Everybody reads the whole history of everything. */
export async function readAll(stage: Stage): Promise<Look[]> {
  const looks: Look[] = []
  for (const { channelArn, memberArns } of channelsOf(stage)) {
    for (const userArn of memberArns) {
      looks.push({ ...(await list(stage, channelArn, userArn, { pagesMax: Number.POSITIVE_INFINITY })), whole: true })
    }
  }
  return looks
}

/** The newest first, as clients do; what is kept has the oldest first. */
async function list(
  { messaging }: Stage,
  channelArn: string,
  userArn: string,
  { pagesMax }: { pagesMax: number },
): Promise<Look> {
  const messages: SeenMessage[] = []
  let NextToken: string | undefined
  let pages = 0
  do {
    const asked = { ChannelArn: channelArn, ChimeBearer: userArn, MaxResults: 50, NextToken }
    const page = await messaging.listChannelMessages(asked)
    messages.push(...(page.ChannelMessages ?? []).map(seenMessage))
    NextToken = page.NextToken
    pages += 1
  } while (NextToken !== undefined && pages < pagesMax)
  return { way: 'list', userArn, channelArn, whole: false, messages: messages.reverse() }
}

async function get({ messaging }: Stage, channelArn: string, userArn: string, MessageId: string): Promise<Look> {
  const look: Look = { way: 'get', userArn, channelArn, whole: false, messages: [] }
  try {
    const { ChannelMessage } = await messaging.getChannelMessage({
      ChannelArn: channelArn,
      ChimeBearer: userArn,
      MessageId,
    })
    return { ...look, messages: ChannelMessage ? [seenMessage(ChannelMessage)] : [] }
  } catch (error) {
    // It is not there for this user, or not yet; or the user is no member.
    if (['NotFoundException', 'ForbiddenException'].includes((error as Error).name)) return look
    throw error
  }
}
