// The folder of the cache. Its files are executable code: who can write them decides what functions do. So the folder and every file
// in it must belong to this process's user and be writable for nobody else; whatever is not is left alone.

import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, futimesSync, openSync, readFileSync, type Stats } from 'node:fs'
import { mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
const WRITABLE_BY_OTHERS = 0o022
const ENDING = '.ringlet'
const TEMPORARY_ENDING = '.tmp'
/** A temporary file of this age belongs to a process that has ended. */
const TEMPORARY_AGE_MS_MAX = 3_600_000
/** A file in use is marked as such this often, so that the oldest are those that nobody uses. */
const TOUCH_EVERY_MS = 86_400_000

/** Follows no link, and waits for no writer of a pipe. Windows has neither flag. */
const OPEN_FLAGS = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Why something on disk is not used. */
class CacheError extends Error {
  override readonly name = 'CacheError'
}

/** Throws {@link CacheError} for what others may change. Windows has no such bits; there the user's profile is private. */
function checkOwner(what: string, { uid, mode }: Stats): void {
  if (process.getuid === undefined) return
  if (uid !== process.getuid()) throw new CacheError(`${what} belongs to another user`)
  if ((mode & WRITABLE_BY_OTHERS) !== 0) throw new CacheError(`others may write ${what}`)
}

/**
 * As mkdir's own `recursive`, which goes on for ever where a folder is there and the system knows no way to make one in it: in
 * /proc, or in a working folder that was removed.
 */
async function makeFolder(path: string): Promise<void> {
  const make = () =>
    mkdir(path, { mode: FOLDER_MODE }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  try {
    await make()
  } catch (error) {
    const parent = dirname(path)
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error
    await makeFolder(parent)
    await make()
  }
}

export class CacheFolder {
  readonly path: string
  readonly #bytesMax: number

  private constructor(path: string, bytesMax: number) {
    this.path = path
    this.#bytesMax = bytesMax
  }

  /** Makes the folder if it is not there. Throws {@link CacheError}, or what the file system says. */
  static async open(path: string, bytesMax: number): Promise<CacheFolder> {
    await makeFolder(path)
    const found = await stat(path)
    if (!found.isDirectory()) throw new CacheError('it is no folder')
    checkOwner('the folder', found)
    return new CacheFolder(path, bytesMax)
  }

  pathOf(name: string): string {
    return join(this.path, name + ENDING)
  }

  /** A file's bytes; undefined when there is none. Throws {@link CacheError}, or what the file system says. */
  read(name: string): Buffer | undefined {
    let fd: number
    try {
      fd = openSync(this.pathOf(name), OPEN_FLAGS)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return undefined
      throw code === 'ELOOP' ? new CacheError('the file is a link') : error
    }
    try {
      const found = fstatSync(fd)
      if (!found.isFile()) throw new CacheError('it is no file')
      checkOwner('the file', found)
      if (found.size > this.#bytesMax) throw new CacheError(`it has ${found.size} bytes`)
      if (Date.now() - found.mtimeMs > TOUCH_EVERY_MS) touch(fd)
      return readFileSync(fd)
    } finally {
      closeSync(fd)
    }
  }

  /** Puts a file in place at once: another process sees the old one, or this one whole. Throws what the file system says. */
  async write(name: string, bytes: Uint8Array): Promise<void> {
    if (bytes.length > this.#bytesMax) return
    const temporary = join(
      this.path,
      `${name}.${process.pid}.${randomBytes(6).toString('hex')}${TEMPORARY_ENDING}`,
    )
    try {
      const file = await open(temporary, 'wx', FILE_MODE)
      try {
        await file.writeFile(bytes)
      } finally {
        await file.close()
      }
      await rename(temporary, this.pathOf(name))
    } catch (error) {
      await unlink(temporary).catch(() => {})
      throw error
    }
  }

  /** Removes the oldest files until the rest fits, and what ended processes left half written. */
  async prune(): Promise<void> {
    const files: { path: string; bytes: number; ageMs: number }[] = []
    for (const name of await readdir(this.path)) {
      const path = join(this.path, name)
      const found = await stat(path).catch(() => undefined)
      if (found === undefined || !found.isFile()) continue
      const ageMs = Date.now() - found.mtimeMs
      if (name.endsWith(ENDING)) files.push({ path, bytes: found.size, ageMs })
      else if (name.endsWith(TEMPORARY_ENDING) && ageMs > TEMPORARY_AGE_MS_MAX) await remove(path)
    }
    let total = files.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { path, bytes } of files.sort((a, b) => b.ageMs - a.ageMs)) {
      if (total <= this.#bytesMax) return
      await remove(path)
      total -= bytes
    }
  }
}

function touch(fd: number): void {
  try {
    const now = Date.now() / 1000
    futimesSync(fd, now, now)
  } catch {
    // On a read-only file system nothing is removed either.
  }
}

/** Another process may have been faster. */
async function remove(path: string): Promise<void> {
  await unlink(path).catch(() => {})
}
