import type { RequestListener } from 'node:http'
import { announcesTooLarge } from './read-body.ts'

/**
 * For `checkContinue` of node:http and node:https: a caller that sends `Expect: 100-continue` before its body gets 100
 * Continue, unless the body would be too large. The connection then ends with the response: a body that is sent
 * nevertheless could not be distinguished from the next request.
 */
export const handleExpectContinue =
  (listener: RequestListener): RequestListener =>
  (request, response) => {
    if (announcesTooLarge(request)) response.setHeader('connection', 'close')
    else response.writeContinue()
    listener(request, response)
  }
