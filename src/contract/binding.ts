import Type, { type TSchema } from 'typebox'

/** The part of a request that carries a member of an input. A member without a mark is in the JSON body. */
export type Binding = { in: 'path' } | { in: 'query'; name: string } | { in: 'header'; name: string }

/** A copy of the schema with a mark. TypeBox keeps its own marks in hidden properties, which a spread would lose. */
const mark = <Schema extends TSchema>(schema: Schema, extra: object): Schema =>
  Object.assign(Object.create(null, Object.getOwnPropertyDescriptors(schema)), extra)

/** A label of the path, percent-encoded there as one segment. */
export const path = <Schema extends TSchema>(schema: Schema): Schema => mark(schema, { binding: { in: 'path' } })

export const query = <Schema extends TSchema>(name: string, schema: Schema): Schema =>
  mark(schema, { binding: { in: 'query', name } })

/**
 * The header `x-amz-chime-bearer`: the AppInstanceUser or bot on whose behalf the call is made. It has no pattern
 * here, because a bearer that is not a valid ARN gets 401, not the 400 of a violated constraint.
 */
export const bearer = () => mark(Type.String(), { binding: { in: 'header', name: 'x-amz-chime-bearer' } })

/** The SDK generates a UUID if its caller leaves the token out; a raw caller may leave it out altogether. */
export const idempotencyToken = <Schema extends TSchema>(schema: Schema) => optional(requiredIdempotencyToken(schema))

/** Like idempotencyToken, but required: ChannelFlowCallback's CallbackId. */
export const requiredIdempotencyToken = <Schema extends TSchema>(schema: Schema): Schema =>
  mark(schema, { idempotencyToken: true })

export const optional = Type.Optional

export const bindingOf = (schema: TSchema): Binding | undefined => (schema as { binding?: Binding }).binding
