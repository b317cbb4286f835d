import { StoreUnavailable } from '../store/store.ts'

/** The log level of a failure: the operator handles an outage of the store, any other failure is a bug. */
export const levelOf = <Level extends 'warn' | 'debug'>(error: unknown, ofOutage: Level): Level | 'error' =>
  error instanceof StoreUnavailable ? ofOutage : 'error'
