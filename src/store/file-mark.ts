import { closeSync, openSync, read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import type { Connection } from './sqlite-connection.ts'

const readFrom = promisify(read)

/** The offset of `user_version` in a SQLite file, four bytes in big-endian order ("Database File Format"). */
const markOffset = 60
const markMax = 2 ** 31 - 1

/**
 * A number that this process writes into the header of its database file. It detects a backup that is copied over the open
 * file: the inode stays the same, and SQLite would mix the pages of two databases.
 *
 * The file stays open until `close`, which must come after all connections of this process are closed: POSIX drops the
 * locks that a process has on a file with the first descriptor of it that the process closes.
 */
export class FileMark {
  readonly #file: number
  readonly #mark: number
  #isWritten = false
  #reading: Promise<unknown> = Promise.resolve()

  constructor(path: string, random: number) {
    this.#file = openSync(path, 'r')
    this.#mark = 1 + Math.floor(random * (markMax - 1))
  }

  /** Writes the mark into the file itself: a checkpoint copies it there from the write-ahead log. */
  write(writer: Connection): void {
    writer.exec(`PRAGMA user_version = ${this.#mark}; PRAGMA wal_checkpoint(TRUNCATE)`)
    // At once: the file may be overwritten before `isThere` is called for the first time.
    const buffer = Buffer.alloc(4)
    this.#isWritten = this.#isIn(buffer, readSync(this.#file, buffer, 0, 4, markOffset))
  }

  /** False if the mark was there and is not any more. A reader may have delayed the checkpoint that writes it. */
  async isThere(): Promise<boolean> {
    const reading = readFrom(this.#file, Buffer.alloc(4), 0, 4, markOffset)
    this.#reading = reading.catch(() => {})
    const { bytesRead, buffer } = await reading
    const isThere = this.#isIn(buffer, bytesRead)
    this.#isWritten ||= isThere
    return isThere || !this.#isWritten
  }

  async close(): Promise<void> {
    await this.#reading
    closeSync(this.#file)
  }

  #isIn(buffer: Buffer, bytesRead: number): boolean {
    return bytesRead === 4 && buffer.readUInt32BE() === this.#mark
  }
}
