/** What a function's process and the server have agreed on. Stands alone: both sides import it. */

/**
 * The bootstrap puts these control characters around each piece of output that the function writes at once and that ends
 * with a line, so that the server knows where a log entry begins and ends.
 */
export const entryBegin = '\x02'
export const entryEnd = '\x03'

/** EX_TEMPFAIL of sysexits.h: the bootstrap itself could not start. */
export const startFailedExitCode = 75

/** Of what a failure is reported with: its type, and its message. */
export const failureLengthMax = 1000
