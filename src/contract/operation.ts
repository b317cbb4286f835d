import Type, { type Static, type TObject, type TProperties } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import type { CommonErrorCode, ErrorCode } from './api-error.ts'
import type { Violation } from './violations.ts'

/** What a caller of the operation may leave out is absent, or undefined: both disappear on the way to JSON. */
type Loose<T> = T extends readonly (infer Item)[]
  ? Loose<Item>[]
  : T extends object
    ? { [Key in keyof T]: undefined extends T[Key] ? Loose<T[Key]> | undefined : Loose<T[Key]> } & LooseOptional<T>
    : T
type LooseOptional<T> = { [Key in keyof T as object extends Pick<T, Key> ? Key : never]?: Loose<T[Key]> | undefined }

export type InputOf<Properties extends TProperties> = Static<TObject<Properties>>
type OutputOf<Properties extends TProperties> = Loose<Static<TObject<Properties>>>

/** What an operation says of itself to all that its calls pass through. */
interface Facts<Member extends string = string> {
  /** As in AWS's API reference. */
  name: string
  /** The members of the input that hold the ARNs which a key must be allowed to act on: the bearer first. */
  resources: readonly Member[]
  /**
   * What a ClientRequestToken is unique within, besides the caller: the resource that this member names, or nothing more.
   * Every operation with such a token has one.
   */
  tokenScope?: Member | 'caller'
  /** Its calls count against this rate of the channel. */
  rate?: 'channelWrites'
  /** A server that is stopping still accepts it. */
  whileStopping?: true
}

/** One operation of the API, whole: its wire form, who may call it, and what it does. */
export interface Definition<Context, Input extends TProperties, Output extends TProperties, Granted>
  extends Facts<keyof Input & string> {
  /** Method, path with labels, literal query if any, and the status of success: `POST /channels 201`. */
  http: string
  input: Input
  /** Empty for an operation that answers with a status alone. */
  output: Output
  /** What it may answer besides the errors that every operation may (see CommonErrorCode). */
  errors: Exclude<ErrorCode, CommonErrorCode>[]
  /** Throws unless the caller may do this, and answers with what it learned on the way. */
  allow(input: InputOf<Input>, context: Context): Promise<Granted> | Granted
  /** Hears of a call whose input is refused as invalid, before it is answered. Throws nothing; any member may be missing. */
  onInvalid?(input: object, context: Context, violations: Violation[]): Promise<void>
  handle(input: InputOf<Input>, context: Context, granted: Granted): Promise<OutputOf<Output>> | OutputOf<Output>
}

export type OperationFacts = Readonly<Facts>

/** An operation ready to be routed and called. The types of its members have done their work in its own file. */
export interface Operation<Context> extends OperationFacts {
  method: string
  /** `/channels/{ChannelArn}` */
  pathTemplate: string
  /** `operation=redact`, as key and value, or undefined. */
  literal: { key: string; value: string } | undefined
  status: number
  input: TObject
  output: TObject
  errors: readonly ErrorCode[]
  inputValidator: Validator
  onInvalid?(input: object, context: Context, violations: Violation[]): Promise<void>
  invoke(input: object, context: Context): Promise<object>
}

const common: CommonErrorCode[] = ['Unauthorized', 'Throttled', 'ServiceFailure', 'ServiceUnavailable']

/** `operation` for handlers that are given this kind of context. */
export function operationsWith<Context>() {
  return function operation<Input extends TProperties, Output extends TProperties, Granted>(
    definition: Definition<Context, Input, Output, Granted>,
  ): Operation<Context> {
    const input = Type.Object(definition.input)
    const output = Type.Object(definition.output)
    const { name, resources, tokenScope, rate, whileStopping } = definition
    return {
      name,
      resources,
      ...(tokenScope !== undefined && { tokenScope }),
      ...(rate && { rate }),
      ...(whileStopping && { whileStopping }),
      ...parseHttp(definition.http),
      input,
      output,
      errors: [...definition.errors, ...common],
      inputValidator: Compile(input),
      ...(definition.onInvalid && { onInvalid: definition.onInvalid }),
      async invoke(values, context) {
        const valid = values as InputOf<Input>
        const granted = await definition.allow(valid, context)
        return definition.handle(valid, context, granted)
      },
    }
  }
}

function parseHttp(http: string) {
  const [method, target, status] = http.split(' ')
  const [pathTemplate, literalQuery] = (target ?? '').split('?')
  if (!method || !pathTemplate || !Number(status)) {
    throw new Error(`'${http}' should be a method, a path and a status, such as 'POST /channels 201'`)
  }
  const [key, value] = literalQuery?.split('=') ?? []
  return { method, pathTemplate, literal: key && value ? { key, value } : undefined, status: Number(status) }
}
