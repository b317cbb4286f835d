import { setTimeout } from 'node:timers/promises'
import { isPassing } from './clients.ts'
import { type Club, type ClubAct, chooseAct, clubActs, createClub, deletion } from './clubs.ts'
import type { History } from './history.ts'
import type { Stage } from './stage.ts'

const actPauseMs = 150
const retryPauseMs = 300
/** How long creating a club again may fail: longer than all faults of a run that keep the cluster from it. */
const createMsMax = 60_000
/** Responses to calls that come at the wrong moment: a guest joins twice, or leaves a club that is deleted. */
const untimely = ['BadRequestException', 'ConflictException', 'ForbiddenException', 'NotFoundException']

/** Guests join clubs and leave them, and founders remove guests, ban them, and delete the clubs. */
export class ClubLoad {
  readonly #stage: Stage
  readonly #history: History
  readonly #random: () => number
  /** How often each act was done, by its name. */
  readonly done = new Map(clubActs.map(({ name }) => [name, 0]))
  /** Errors that no fault excuses. */
  readonly refusals: string[] = []

  constructor(stage: Stage, history: History, random: () => number) {
    this.#stage = stage
    this.#history = history
    this.#random = random
  }

  /** Resolves after `until`, when all clubs exist. */
  async run(until: AbortSignal): Promise<void> {
    await Promise.all(this.#stage.clubs.map((club) => this.#runIn(club, until)))
  }

  async #runIn(club: Club, until: AbortSignal): Promise<void> {
    const { guestArns } = this.#stage
    while (!until.aborted) {
      const act = chooseAct(this.#random())
      const guestArn = guestArns[Math.floor(this.#random() * guestArns.length)] as string
      await this.#try(act, club, guestArn)
      // It may be deleted even if the client had no response.
      if (act === deletion) await this.#createAgain(club)
      await setTimeout(actPauseMs)
    }
    await this.#createAgain(club)
  }

  async #try(act: ClubAct, club: Club, guestArn: string): Promise<void> {
    const { name, eventType } = act
    const { channelArn } = club
    try {
      await act.call(this.#stage, club, guestArn)
      this.done.set(name, (this.done.get(name) ?? 0) + 1)
      const subject = act === deletion ? channelArn : guestArn
      if (eventType) this.#history.acts.push({ channelArn, eventType, subject })
    } catch (error) {
      if (untimely.includes((error as Error).name) || isPassing(error)) return
      this.refusals.push(`one of the ${name} was answered ${error}`)
    }
  }

  async #createAgain({ channelId }: Club): Promise<void> {
    for (const from = Date.now(); Date.now() - from < createMsMax; await setTimeout(retryPauseMs)) {
      try {
        await createClub(this.#stage, channelId)
        return
      } catch (error) {
        // An earlier try has created it, or its deletion has failed.
        if ((error as Error).name === 'ConflictException') return
        if (isPassing(error)) continue
        this.refusals.push(`creating ${channelId} again was answered ${error}`)
        return
      }
    }
    this.refusals.push(`it took more than ${createMsMax} ms to create ${channelId} again`)
  }
}
