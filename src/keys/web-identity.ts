import { errors, jwtVerify } from 'jose'
import type { Clock } from '../runtime/clock.ts'
import { type Identity, IdentityRejection, type IdentityVerifier } from './identity.ts'
import { IssuerKeys, type IssuerKeysParts, IssuerUnreachable } from './issuer-keys.ts'

/** Whose tokens are accepted, and which claim names the user. */
export interface WebIdentitySettings {
  /** Exactly as in the claim `iss` and in the issuer's discovery document. */
  issuer: string
  /** A token must name one of them in `aud`. */
  audiences: readonly string[]
  /** The claim that has the id or the ARN of the AppInstanceUser. */
  userClaim: string
}

/** AWS's maximum for WebIdentityToken. */
const identityTokenLengthMax = 20_000

/** Signatures with a private key only: the key that verifies them is public, so it must not be a shared secret. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']

/** How far the clock of the issuer may be ahead or behind. */
const skewSecondsMax = 30

/**
 * Verifies ID tokens of one OpenID Connect issuer, which the operator has chosen. The keys come from the `jwks_uri` of
 * its discovery document only. Nothing that the token says about keys counts (`jku`, `x5u`, `jwk`, `x5c`), so that a
 * caller cannot make the server call any address.
 */
export class WebIdentity implements IdentityVerifier {
  readonly issuer: string
  readonly #settings: WebIdentitySettings
  readonly #clock: Clock
  readonly #keys: IssuerKeys

  constructor(settings: WebIdentitySettings, parts: IssuerKeysParts) {
    this.issuer = settings.issuer
    this.#settings = settings
    this.#clock = parts.clock
    this.#keys = new IssuerKeys(settings.issuer, parts)
  }

  async verify(token: string): Promise<Identity> {
    const { issuer, audiences, userClaim } = this.#settings
    if (token.length > identityTokenLengthMax) throw new IdentityRejection('invalid', 'The token is too long')
    const { payload } = await jwtVerify(token, (header) => this.#keys.find(header), {
      issuer,
      audience: [...audiences],
      algorithms,
      requiredClaims: ['exp', userClaim],
      clockTolerance: skewSecondsMax,
      currentDate: new Date(this.#clock.now()),
    }).catch((error: unknown) => {
      throw rejectionOf(error)
    })
    const user = payload[userClaim]
    if (typeof user !== 'string' || user === '') {
      throw new IdentityRejection('invalid', `The claim "${userClaim}" of the token must be a text`)
    }
    return {
      user,
      subject: payload.sub,
      audience: [payload.aud].flat().find((audience) => audiences.includes(audience ?? ''))!,
      name: typeof payload.name === 'string' ? payload.name : undefined,
    }
  }
}

/** An error of jose has the claims of the token in it, so it goes no further. */
function rejectionOf(error: unknown): unknown {
  if (error instanceof IssuerUnreachable) return new IdentityRejection('issuer unreachable', error.message)
  if (error instanceof errors.JWTExpired) return new IdentityRejection('expired', 'The token has expired')
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new IdentityRejection('invalid', `The claim "${error.claim}" of the token is missing or not as expected`)
  }
  if (error instanceof errors.JOSEError) return new IdentityRejection('invalid', problems[error.code] ?? malformed)
  return error
}

const malformed = 'The token is not a valid JSON Web Token'
const problems: Record<string, string> = {
  ERR_JWKS_NO_MATCHING_KEY: 'The issuer has no key with the key id and the algorithm of the token',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'The token has no key id, and several keys of the issuer fit',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'The signature of the token does not match',
  ERR_JOSE_ALG_NOT_ALLOWED: 'The algorithm of the token is not accepted',
}
