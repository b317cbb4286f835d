import { DefaultSigV4 } from 'virtual:messaging-session'

/**
 * The session signs an address that begins with `wss`. The server of this page has no certificate where the page itself
 * is plain HTTP, and the scheme is no part of the signature.
 */
export class PageSigV4 extends DefaultSigV4 {
  override signURL(...[method, , ...rest]: Parameters<DefaultSigV4['signURL']>): Promise<string> {
    return super.signURL(method, location.protocol === 'https:' ? 'wss' : 'ws', ...rest)
  }
}
