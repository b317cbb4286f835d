/** What a person in a rehearsal can do about an error of AWS's client. */
export function adviceOf(error: Error): string {
  if (error.name === 'ThrottledClientException' || error.name === 'ServiceUnavailableException')
    return 'The server is busy: try again in a moment.'
  if (error.name === 'UnauthorizedClientException') return 'The key may have expired: start again.'
  if (error.name === 'TypeError') return 'The server may be stopped: start it, then try again.'
  return 'Change the message, or start again.'
}
