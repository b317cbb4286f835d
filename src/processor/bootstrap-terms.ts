/** The protocol between a function's process and the server. It has no imports: both sides import it. */

/**
 * The bootstrap puts these control characters around each piece of output that the function writes at once and that
 * ends with a line, so that the server knows where a log entry begins and ends.
 */
export const entryBegin = '\x02'
export const entryEnd = '\x03'

/** EX_TEMPFAIL of sysexits.h: the bootstrap itself could not start. */
export const startFailedExitCode = 75

/** Maximum length of an error's type and of its message in a report. */
export const failureLengthMax = 1000

/** Maximum length of a return value that the server waits for, as JSON. */
export const returnedLengthMax = 8_192

/** The name of the protocol of a channel, by which both sides know each other. */
export const channelProtocol = 'carillon-events'

/** A child's line: it asks for the next invocation, and reports the one before. */
export interface ChannelReport {
  /** The invocation that has ended; absent at first. */
  awsRequestId?: string
  /** The class of the error that it ended in, if it did: never a text, which may quote a message. */
  errorType?: string | undefined
  /** The return value of the function, if the invocation has asked for it. */
  returned?: unknown
}

/** One event on its way to a child process: the server's line. */
export interface RuntimeInvocation {
  awsRequestId: string
  /** Milliseconds since the epoch. */
  deadlineMs: number
  functionArn: string
  traceId: string
  /** The event, as JSON. */
  body: string
  /** The server waits for the return value. */
  wantsReturned?: boolean | undefined
}
