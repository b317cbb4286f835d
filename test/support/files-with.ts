import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * The files of a folder that contain these bytes. Another process searches them: if this process closed a file that
 * SQLite has open here, the system would release SQLite's locks on it.
 */
export async function filesWith(text: string, folder: string): Promise<string[]> {
  try {
    return (await run('grep', ['-rlF', '--', text, folder])).stdout.trim().split('\n')
  } catch (error) {
    // No file has it.
    if ((error as { code?: unknown }).code === 1) return []
    throw error
  }
}
