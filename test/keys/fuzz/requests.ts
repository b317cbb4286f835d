import { carillonOperations, operations } from '../../../src/api/index.ts'
import { validInput, type WireCall, wireCallOf } from '../../support/valid-input.ts'
import type { FuzzWorld } from './fuzz-world.ts'
import type { TriedKey } from './tried-keys.ts'

export const known = [...operations, ...carillonOperations]
export type Known = (typeof known)[number]

export interface FuzzRequest extends WireCall {
  operation: Known
  headers: Record<string, string>
  /** Put in place of what was signed. */
  afterSigning: { bearer?: string; target?: string; token?: string }
}

/** Rarely called: after them, few other calls can succeed. */
const final = new Set(['DeleteAppInstance', 'DeleteAppInstanceUser', 'SuspendUser', 'DeleteChannel'])

const plain = { headers: {}, afterSigning: {} }

/** Generates requests that are well-formed and ask for too much, and some that are well-meant. */
export class Requests {
  readonly #random: () => number
  readonly #texts = new Map<'arn' | 'MessageId' | 'NextToken', string[]>()
  readonly #callbackIds: string[]
  readonly #keyIds: string[]

  constructor({ houses, keys }: FuzzWorld, random: () => number) {
    this.#random = random
    const arns = houses.flatMap(({ arn, ann, bob, admin, flows, channels }) => [
      arn,
      ann,
      bob,
      admin,
      ...flows,
      ...channels,
    ])
    this.#texts.set('arn', arns)
    this.#texts.set(
      'MessageId',
      houses.flatMap(({ messageIds }) => messageIds),
    )
    this.#texts.set('NextToken', [''])
    this.#callbackIds = houses.flatMap(({ callbackIds }) => callbackIds)
    this.#keyIds = keys.map(({ credentials }) => credentials.accessKeyId)
  }

  /** Later requests may name what a response has named. */
  learn(text: string): void {
    for (const [arn] of text.matchAll(/arn:aws:chime:[^"\\ ]+/g)) this.#remember('arn', arn)
    for (const [, id] of text.matchAll(/"MessageId":"([^"]+)"/g)) this.#remember('MessageId', id!)
    for (const [, token] of text.matchAll(/"NextToken":"([^"]+)"/g)) this.#remember('NextToken', token!)
  }

  #remember(kind: 'arn' | 'MessageId' | 'NextToken', text: string): void {
    const texts = this.#texts.get(kind)!
    if (texts.includes(text)) return
    if (texts.length < 100) texts.push(text)
    else texts[50 + Math.floor(this.#random() * 50)] = text
  }

  /** `reached`: the operations that have succeeded; well-meant requests are for the others. */
  next(key: TriedKey, reached: ReadonlySet<string>): FuzzRequest {
    const isWellMeant = this.#chance(0.5)
    const operation = this.#operation(isWellMeant ? known.filter(({ name }) => !reached.has(name)) : known)
    const input = validInput(operation, {
      valueOf: (member) => this.#valueOf(member, key, isWellMeant),
      has: (member) => {
        const isNamed = member === 'ChimeBearer' || operation.resources.includes(member)
        return this.#chance(isNamed ? 0.9 : isWellMeant ? 0.05 : 0.4)
      },
      pick: (count) => Math.floor(this.#random() * count),
    })
    const call = wireCallOf(operation, input)
    return { operation, ...call, ...(isWellMeant ? plain : this.#twist(call)) }
  }

  #operation(list: readonly Known[]): Known {
    const operation = this.#one(list.length > 0 ? list : known)
    return final.has(operation.name) && this.#chance(0.9) ? this.#one(known) : operation
  }

  #valueOf(member: string, key: TriedKey, isWellMeant: boolean): string | undefined {
    if (member === 'CallbackId') return this.#one(this.#callbackIds)
    if (member === 'AccessKeyId') return this.#one(this.#keyIds)
    if (member === 'MessageId') return isWellMeant ? key.home.messageIds[0] : this.#one(this.#texts.get('MessageId')!)
    if (member === 'NextToken') return isWellMeant ? '' : this.#one(this.#texts.get('NextToken')!)
    const kind = kindOf(member)
    if (kind === undefined) return undefined
    if (isWellMeant) return this.#ofHome(kind, key)
    const arns = this.#texts.get('arn')!
    if (this.#chance(0.1)) return this.#one(arns)
    const arn = this.#one(arns.filter((text) => text.includes(kind)))
    return this.#chance(0.1) ? this.#bend(arn, key) : arn
  }

  #ofHome(kind: string, { home, connects }: TriedKey): string {
    if (kind === '/user/') return connects.length > 0 ? this.#one(connects) : home.ann
    if (kind === '/channel/') return home.channels[0]!
    return kind === '/channel-flow/' ? this.#one(home.flows) : home.arn
  }

  /** Looks like an ARN of the key's home, and names something else or nothing. */
  #bend(arn: string, { home }: TriedKey): string {
    const rest = arn.slice(arn.indexOf(':app-instance/') + 51)
    return this.#one([
      `${arn}/`,
      `${home.arn}/../${arn.split('/').slice(1).join('/')}`,
      arn.toUpperCase(),
      `${home.arn}${rest}`,
      `${home.arn}/user/ann/${rest}`,
      arn.replace(':us-east-1:', ':eu-west-1:'),
      `${arn}#${home.arn}`,
      `${arn}%2F`,
    ])
  }

  /** Names a further resource where another part of the request names one, or after the signature was made. */
  #twist({ target, body, method }: WireCall): Partial<FuzzRequest> & Pick<FuzzRequest, 'headers' | 'afterSigning'> {
    if (this.#chance(0.5)) return plain
    const arn = this.#one(this.#texts.get('arn')!)
    const join = target.includes('?') ? '&' : '?'
    const further = { ChimeBearer: arn, ChannelArn: arn, AppInstanceArn: arn, AppInstanceUserArn: arn, SubjectArn: arn }
    const name = this.#one(['app-instance-arn', 'x-amz-chime-bearer', 'ChimeBearer', 'channel-arn', 'arn'])
    return this.#one([
      { ...plain, ...(method !== 'GET' && { body: { ...further, ...body } }) },
      { ...plain, target: `${target}${join}${name}=${encodeURIComponent(arn)}` },
      { ...plain, headers: { 'x-amz-chime-app-instance-user-arn': arn, 'x-http-method-override': 'DELETE' } },
      { ...plain, afterSigning: { bearer: arn } },
      { ...plain, afterSigning: { target: target.replaceAll('%2Fann', '%2Fbob') } },
      { ...plain, afterSigning: { token: this.#one(this.#texts.get('NextToken')!) } },
    ])
  }

  #chance(likelihood: number): boolean {
    return this.#random() < likelihood
  }

  #one<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!
  }
}

/** The part of an ARN that shows its kind, or undefined if the member has no ARN. */
function kindOf(member: string): string | undefined {
  if (
    /^(ChimeBearer|AppInstanceUserArn|AppInstanceAdminArn|ChannelModeratorArn|Member|Moderator|Values$)/.test(member)
  ) {
    return '/user/'
  }
  if (member === 'ChannelArn') return '/channel/'
  if (member === 'ChannelFlowArn') return '/channel-flow/'
  return /^(AppInstanceArn|ResourceARN|SubjectArn)$/.test(member) ? ':app-instance/' : undefined
}
