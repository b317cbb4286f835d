import { type FileHandle, open } from 'node:fs/promises'

/** Written over from the start when it is full, as a write-ahead log is. */
const fileBytesMax = 16 * 1024 * 1024
/** If a part of one large write changes, the system counts the whole write again, so the file is filled in pages. */
const pageBytes = 4096

/** A file with group commits: all records that arrive while a commit is in flight share the next fdatasync. */
export class GroupCommitFile {
  readonly #file: FileHandle
  #position = 0
  #waiting: Buffer[] = []
  /** The next commit, with the waiting records. */
  #next: Promise<void> | undefined
  #current: Promise<void> = Promise.resolve()

  private constructor(file: FileHandle) {
    this.#file = file
  }

  static async open(path: string): Promise<GroupCommitFile> {
    const file = await open(path, 'w')
    for (let at = 0; at < fileBytesMax; at += pageBytes) await file.write(Buffer.alloc(pageBytes), 0, pageBytes, at)
    await file.sync()
    return new GroupCommitFile(file)
  }

  /** Resolves when the record is on the disk. */
  write(record: Buffer): Promise<void> {
    this.#waiting.push(record)
    this.#next ??= this.#current.then(() => this.#commit())
    return this.#next
  }

  #commit(): Promise<void> {
    const records = Buffer.concat(this.#waiting)
    this.#waiting = []
    this.#next = undefined
    this.#current = this.#sync(records)
    return this.#current
  }

  async #sync(records: Buffer): Promise<void> {
    if (this.#position + records.length > fileBytesMax) this.#position = 0
    await this.#file.write(records, 0, records.length, this.#position)
    this.#position += records.length
    await this.#file.datasync()
  }
}
