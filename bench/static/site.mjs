import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LARGE_BYTES = 100_000_000
export const SMALL = 'x'.repeat(1023).concat('\n')

/** A folder with a small file and a large one; `remove` takes it away. */
export async function makeSite({ quick }) {
  const folder = await mkdtemp(join(tmpdir(), 'ringlet-bench-static-'))
  const largeBytes = quick ? LARGE_BYTES / 10 : LARGE_BYTES
  await writeFile(join(folder, 'small.txt'), SMALL)
  await writeFile(join(folder, 'large.bin'), randomBytes(largeBytes))
  return { folder, largeBytes, remove: () => rm(folder, { recursive: true }) }
}
