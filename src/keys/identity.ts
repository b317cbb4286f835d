/** What a valid token says. */
export interface Identity {
  /** The value of the claim that names the user. */
  user: string
  subject: string | undefined
  /** The audience by which the token was accepted. */
  audience: string
  /** For a new user: OpenID Connect's standard claim. */
  name: string | undefined
}

/** Why a token is not accepted. The message never repeats a part of the token. */
export class IdentityRejection extends Error {
  readonly reason: 'invalid' | 'expired' | 'issuer unreachable'

  constructor(reason: IdentityRejection['reason'], message: string) {
    super(message)
    this.reason = reason
  }
}

/** Verifies ID tokens. */
export interface IdentityVerifier {
  readonly issuer: string
  /** Rejects with an IdentityRejection if the token is not accepted. */
  verify(token: string): Promise<Identity>
}
