import Type, { type Static, type TObject, type TProperties } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import type { CommonErrorCode, ErrorCode } from './api-error.ts'
import type { Violation } from './violations.ts'

/** Optional members may be absent, or undefined: both disappear in JSON. */
type Loose<T> = T extends readonly (infer Item)[]
  ? Loose<Item>[]
  : T extends object
    ? { [Key in keyof T]: undefined extends T[Key] ? Loose<T[Key]> | undefined : Loose<T[Key]> } & LooseOptional<T>
    : T
type LooseOptional<T> = { [Key in keyof T as object extends Pick<T, Key> ? Key : never]?: Loose<T[Key]> | undefined }

export type InputOf<Properties extends TProperties> = Static<TObject<Properties>>
type OutputOf<Properties extends TProperties> = Loose<Static<TObject<Properties>>>

/** Rates of one channel (api/rates.ts). */
export type ChannelRate = 'messages' | 'members' | 'lists' | 'batch' | 'description' | 'history' | 'reading'

/** The facts of an operation that all stages of its calls use. */
interface Facts<Member extends string = string> {
  /** As in AWS's API reference. */
  name: string
  /** The service of its action, for the permissions of a key: `chime` unless AWS does not have the operation. */
  service?: 'carillon'
  /** The members of the input with the ARNs of a call's resources, for the permissions of a key: the bearer first. */
  resources: readonly Member[]
  /**
   * The scope of a ClientRequestToken, besides the caller: the resource that this member names, or nothing more.
   * Every operation with such a token has one.
   */
  tokenScope?: Member | 'caller'
  /** Its calls count against this rate of the channel. */
  rate?: ChannelRate
  /** A server that is stopping still accepts it. */
  whileStopping?: true
  /**
   * The audit log has the operators' calls of it, with the members of `resources` and these of the input or the output.
   * Never one with a message, a secret or a token.
   */
  audited?: readonly string[]
}

/** The whole definition of one operation of the API: its wire form, its permission, and its work. */
export interface Definition<Context, Input extends TProperties, Output extends TProperties, Granted>
  extends Facts<keyof Input & string> {
  /** Method, path with labels, literal query if any, and the status of success: `POST /channels 201`. */
  http: string
  input: Input
  /** Empty for an operation that returns only a status. */
  output: Output
  audited?: readonly ((keyof Input | keyof Output) & string)[]
  /** The errors that the operation may return, besides those of every operation (see CommonErrorCode). */
  errors: Exclude<ErrorCode, CommonErrorCode>[]
  /** Throws unless the caller may do this. Returns the rows that it has read. */
  allow(input: InputOf<Input>, context: Context): Promise<Granted> | Granted
  /** Called if the input is rejected as invalid, before the response. Throws nothing; any member may be missing. */
  onInvalid?(input: object, context: Context, violations: Violation[]): Promise<void>
  handle(input: InputOf<Input>, context: Context, granted: Granted): Promise<OutputOf<Output>> | OutputOf<Output>
}

export type OperationFacts = Readonly<Facts>

/** An operation ready to be routed and called. The types of its members matter in its own file only. */
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

/** `operation` for handlers with this kind of context. */
export function operationsWith<Context>() {
  return function operation<Input extends TProperties, Output extends TProperties, Granted>(
    definition: Definition<Context, Input, Output, Granted>,
  ): Operation<Context> {
    const input = Type.Object(definition.input)
    const output = Type.Object(definition.output)
    const { name, service, resources, tokenScope, rate, whileStopping, audited } = definition
    return {
      name,
      ...(service && { service }),
      resources,
      ...(tokenScope !== undefined && { tokenScope }),
      ...(rate && { rate }),
      ...(whileStopping && { whileStopping }),
      ...(audited && { audited }),
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
