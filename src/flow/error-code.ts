/** What may be kept of a failure: never more, because its text can quote the message. */
const codePattern = /\b(?:E[A-Z]{3,}|[A-Z]\w*(?:Error|Exception)|HTTP \d{3})\b/

/** The class or the code of the error in the text: `ECONNREFUSED`, `TypeError`, `HTTP 503`; undefined if it has none. */
export function codeOf(failure: string): string | undefined {
  const code = codePattern.exec(failure)?.[0]
  if (code !== undefined) return code.slice(0, 64)
  return /\btime(?:d out|out|limit)\b|\bdid not end within\b/i.test(failure) ? 'Timeout' : undefined
}
