import { type AnsweringFunction, FunctionFailed } from '../processor/answering-function.ts'
import { personOf, Unidentified, type WhoIs } from './person.ts'

/** The name of the operator's function in the functions folder. */
export const credsFunction = 'creds'

/** The function's own limits. Its places are not those of the functions that process messages. */
export const credsFunctionLimits = {
  placesMax: 4,
  waitingMax: 256,
  callMsMax: 3_000,
  /** Including the start of its process. */
  waitMsMax: 10_000,
} as const

/**
 * Asks the operator's function. It gets the members that the handler of AWS's chat sample reads from API Gateway's event, so
 * code for that works here.
 */
export const askFunction =
  (creds: Pick<AnsweringFunction, 'call'>): WhoIs =>
  async (authorization) => {
    const event = { httpMethod: 'POST', path: '/creds', headers: { Authorization: authorization } }
    const returned = await creds.call(event).catch((error: unknown) => {
      throw error instanceof FunctionFailed ? new Unidentified(error.message) : error
    })
    return personOf(returned)
  }
