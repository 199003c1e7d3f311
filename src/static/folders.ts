import { stat } from 'node:fs/promises'
import type { Config } from '../config/index.ts'
import { RingletError } from '../errors.ts'

/** Rejects with {@link RingletError} RINGLET_STATIC_DIR for a folder that is not there: most likely it is misspelt. */
export async function checkFolders({
  static: statics,
  functions,
}: Pick<Config, 'static' | 'functions'>): Promise<void> {
  const folders = [...statics, ...functions.flatMap(({ assets }) => assets ?? [])]
  for (const dir of new Set(folders.map((folder) => folder.dir))) {
    const reason = await stat(dir).then(
      (stats) => (stats.isDirectory() ? '' : 'it is no folder'),
      (error: NodeJS.ErrnoException) =>
        error.code === 'ENOENT' ? 'there is no such folder' : (error.code ?? error.message),
    )
    if (reason !== '') throw new RingletError('RINGLET_STATIC_DIR', { dir, reason })
  }
}
