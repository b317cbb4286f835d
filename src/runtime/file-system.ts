import { statfsSync } from 'node:fs'

/** By the type of statfs(2). The file system behind FUSE is unknown. */
const networkTypes: Record<number, string> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'SMB',
  4266872130: 'SMB',
  12805120: 'Ceph',
  16914839: '9p',
}
const fuse = 1702057286

/** The name of a folder's network file system, or undefined for a local or unknown file system. */
export const networkFileSystemOf = (folder: string): string | undefined => networkFileSystem(statfsSync(folder).type)

/** Some systems report the type as a negative, signed number. */
export const networkFileSystem = (type: number): string | undefined => networkTypes[type >>> 0]

/** Whether the files of a folder keep their inode numbers as long as a process has them open. */
export const keepsInodes = (folder: string): boolean => typeKeepsInodes(statfsSync(folder).type)

/** The clients of SMB, 9p and FUSE (Docker Desktop's shared folders are FUSE) may renumber the same files. */
export const typeKeepsInodes = (type: number): boolean =>
  type >>> 0 !== fuse && !['SMB', '9p'].includes(networkFileSystem(type) ?? '')
