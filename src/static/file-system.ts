// What is asked of the system, so that tests can make it fail. All of it is synchronous: an actor has nothing else to do for
// this request, and what it asks about is in the kernel's memory, but for the first time.

import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  opendirSync,
  openSync,
  readSync,
  realpathSync,
  statSync,
} from 'node:fs'

export interface FileSystem {
  realPath(path: string): string
  /** Undefined for what is not there. */
  stat(path: string): BigIntStats | undefined
  open(path: string): number
  statOpen(fd: number): BigIntStats
  read(fd: number, into: Uint8Array, offset: number, length: number, position: number): number
  close(fd: number): void
  /** At most `most` names. */
  names(path: string, most: number): string[]
}

/** No link is followed, no FIFO makes this wait: it was a plain file when it was looked at. */
export const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

export const systemFiles: FileSystem = {
  realPath: (path) => realpathSync.native(path),
  stat: (path) => statSync(path, { bigint: true, throwIfNoEntry: false }),
  open: (path) => openSync(path, OPEN_FLAGS),
  statOpen: (fd) => fstatSync(fd, { bigint: true }),
  read: readSync,
  close: closeSync,
  names(path, most) {
    const folder = opendirSync(path)
    const names: string[] = []
    try {
      for (let entry = folder.readSync(); entry !== null && names.length < most; entry = folder.readSync()) {
        names.push(entry.name)
      }
    } finally {
      folder.closeSync()
    }
    return names
  },
}

/** What a client is told of a failure of the system. */
export type FileTrouble = 'not-found' | 'forbidden' | 'file-unavailable'

const TROUBLES: Readonly<Record<string, FileTrouble>> = {
  ENOENT: 'not-found',
  ENOTDIR: 'not-found',
  ENAMETOOLONG: 'not-found',
  EACCES: 'forbidden',
  EPERM: 'forbidden',
  // Links in a circle, and a link where a file was.
  ELOOP: 'forbidden',
}

/** All else is no matter of the path: too many open files, a broken disk. */
export function troubleOf(error: unknown): FileTrouble {
  return TROUBLES[(error as NodeJS.ErrnoException).code ?? ''] ?? 'file-unavailable'
}
