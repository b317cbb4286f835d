import { statfsSync } from 'node:fs'

/** As in statfs(2). What a FUSE file system stands on cannot be told. */
const networkTypes: Record<number, string> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'SMB',
  4266872130: 'SMB',
  12805120: 'Ceph',
  16914839: '9p',
}

/** The name of the network file system that a folder is on, or undefined if it is on none that is known here. */
export const networkFileSystemOf = (folder: string): string | undefined => networkFileSystem(statfsSync(folder).type)

/** By the type that statfs reports, which is negative where the system takes it for a signed number. */
export const networkFileSystem = (type: number): string | undefined => networkTypes[type >>> 0]
