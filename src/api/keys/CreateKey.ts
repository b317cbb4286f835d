import Type from 'typebox'
import { badRequest } from '../../contract/api-error.ts'
import { optional } from '../../contract/binding.ts'
import type { InputOf } from '../../contract/operation.ts'
import { ChimeArn, NonEmptyResourceName, Timestamp } from '../../contract/shapes.ts'
import { createAccessKey, type NewKey } from '../../keys/access-keys.ts'
import { createGrant, type GrantParameters, InvalidGrant } from '../../keys/grant.ts'
import { UnknownSubject } from '../../keys/subject.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { milliseconds } from '../times.ts'
import { AccessKeyId, KeyKind, KeyRole } from './key-shapes.ts'
import { requireEndWithin } from './key-summary.ts'

const input = {
  Kind: KeyKind,
  SubjectArn: optional(ChimeArn),
  Role: optional(KeyRole),
  Directory: optional(Type.Boolean()),
  Name: optional(NonEmptyResourceName),
  ExpirationTimestamp: optional(Timestamp),
}

/** Creates an access key, and returns its secret, this once. */
export const CreateKey = operation({
  name: 'CreateKey',
  service: 'carillon',
  http: 'POST /carillon/v1/keys 201',
  input,
  output: { AccessKeyId, SecretAccessKey: Type.String() },
  errors: ['BadRequest', 'Forbidden'],
  resources: ['SubjectArn'],
  audited: ['AccessKeyId', 'Kind', 'Role', 'Directory', 'ExpirationTimestamp'],
  allow: byCredentialsAlone,
  async handle(input, { store, credentials, now }) {
    const at = now()
    try {
      const key = newKeyOf(input)
      if (key.expiresAtMs !== undefined && key.expiresAtMs <= at) throw badRequest('ExpirationTimestamp is over')
      requireEndWithin(credentials, key.expiresAtMs)
      return await store.transaction(async (transaction) => {
        const { accessKeyId, secretAccessKey } = await createAccessKey(transaction, key, at)
        return { AccessKeyId: accessKeyId, SecretAccessKey: secretAccessKey }
      })
    } catch (error) {
      throw isCallersMistake(error) ? badRequest((error as Error).message) : error
    }
  },
})

function newKeyOf({ Kind, SubjectArn, Role, Directory, Name, ExpirationTimestamp }: InputOf<typeof input>): NewKey {
  const kind = Kind.toLowerCase() as GrantParameters['kind']
  const role = Role?.toLowerCase() as GrantParameters['role']
  return {
    grant: createGrant({ kind, subjectArn: SubjectArn, role, directory: Directory }),
    name: Name,
    expiresAtMs: ExpirationTimestamp === undefined ? undefined : milliseconds(ExpirationTimestamp),
  }
}

const isCallersMistake = (error: unknown) => error instanceof UnknownSubject || error instanceof InvalidGrant
