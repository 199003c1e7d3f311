import { stat } from 'node:fs/promises'
import type { Config } from '../config/index.ts'
import { RingletError } from '../errors.ts'

/** Rejects with {@link RingletError} RINGLET_STATIC_DIR for a static route whose folder is not there: most likely it is misspelt. */
export async function checkFolders({ static: statics }: Pick<Config, 'static'>): Promise<void> {
  for (const { dir } of statics) {
    const reason = await stat(dir).then(
      (stats) => (stats.isDirectory() ? '' : 'it is no folder'),
      (error: NodeJS.ErrnoException) =>
        error.code === 'ENOENT' ? 'there is no such folder' : (error.code ?? error.message),
    )
    if (reason !== '') throw new RingletError('RINGLET_STATIC_DIR', { dir, reason })
  }
}
