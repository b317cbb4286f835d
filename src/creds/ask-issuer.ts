import { IdentityRejection, type IdentityVerifier } from '../keys/identity.ts'
import { personOf, type WhoIs } from './person.ts'

/** The maximum for the Name of an AppInstanceUser. */
const nameLengthMax = 100

/** Takes the token for an ID token of the operator's OpenID Connect issuer. */
export const askIssuer =
  (issuer: Pick<IdentityVerifier, 'verify'>): WhoIs =>
  async (authorization) => {
    const identity = await issuer.verify(tokenOf(authorization)).catch((error: unknown) => {
      if (error instanceof IdentityRejection && error.reason !== 'issuer unreachable') return undefined
      throw error
    })
    if (!identity) return undefined
    const { user, name = '' } = identity
    return personOf({ uuid: user, displayName: name.trim().slice(0, nameLengthMax) || user })
  }

/** The client of AWS's chat sample sends the token in Base64, others as it is: only a JSON Web Token has dots. */
function tokenOf(authorization: string): string {
  const token = authorization.replace(/^Bearer +/i, '')
  return token.includes('.') ? token : Buffer.from(token, 'base64').toString()
}
