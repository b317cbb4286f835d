import type { RequestListener } from 'node:http'
import { announcesTooMuch } from './read-body.ts'

/**
 * For `checkContinue` of node:http and node:https: a caller that asks before it sends its body (`Expect: 100-continue`)
 * gets 100 Continue, unless the body would be too large. The connection then ends with the response: a body that is sent
 * all the same could not be distinguished from the next request.
 */
export const inviteBody =
  (listener: RequestListener): RequestListener =>
  (request, response) => {
    if (announcesTooMuch(request)) response.setHeader('connection', 'close')
    else response.writeContinue()
    listener(request, response)
  }
