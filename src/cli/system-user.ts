import { userInfo } from 'node:os'

/** The name of the user that runs the command; its number if it has no name, as in many containers. */
export function systemUser(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.()}`
  }
}
