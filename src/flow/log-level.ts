import { StoreUnavailable } from '../store/store.ts'

/** At which level a failure is logged: an outage of the store is an operator's affair, and everything else a bug. */
export const levelOf = <Level extends 'warn' | 'debug'>(error: unknown, ofOutage: Level): Level | 'error' =>
  error instanceof StoreUnavailable ? ofOutage : 'error'
