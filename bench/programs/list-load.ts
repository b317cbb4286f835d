import { Api, channelPath } from '../wire/calls.ts'

/** The position of the page in the channel's history. */
export type PagePosition = 'newest' | 'middle' | 'oldest'

export interface ListInput {
  url: string
  channelArn: string
  memberArn: string
  position: PagePosition
  /** The time of the middle message, in milliseconds since the epoch. */
  middleMs: number
  seconds: number
}

export interface ListResult {
  lists: number
}

const pageMessages = 50
const inFlight = 4

/** Reads one page of a channel's messages again and again. */
export class ListLoad {
  readonly #input: ListInput
  readonly #api: Api

  constructor(input: ListInput) {
    this.#input = input
    this.#api = new Api(input.url)
  }

  async run(): Promise<ListResult> {
    const until = performance.now() + this.#input.seconds * 1000
    let lists = 0
    const loop = async () => {
      while (performance.now() < until) {
        await this.#list()
        lists += 1
      }
    }
    await Promise.all(Array.from({ length: inFlight }, loop))
    this.#api.close()
    return { lists }
  }

  async #list(): Promise<void> {
    const { channelArn, memberArn } = this.#input
    const path = `${channelPath(channelArn)}/messages`
    const output = await this.#api.output<{ ChannelMessages: object[] }>({
      method: 'GET',
      path,
      query: this.#query(),
      bearer: memberArn,
    })
    const { length } = output.ChannelMessages
    if (length !== pageMessages) throw new Error(`a page of ${pageMessages} messages has ${length}`)
  }

  /** Names in the order in which they are signed. */
  #query(): string {
    const { position, middleMs } = this.#input
    const notAfter = `&not-after=${encodeURIComponent(new Date(middleMs).toISOString())}`
    const order = position === 'oldest' ? '&sort-order=ASCENDING' : ''
    return `max-results=${pageMessages}${position === 'middle' ? notAfter : ''}${order}`
  }
}
