import { execFileSync } from 'node:child_process'
import { appendFile } from 'node:fs/promises'
import { availableParallelism, cpus, totalmem } from 'node:os'

/** Where and with what a run was made: the same for every row of it. */
export function circumstances(root) {
  return {
    time: new Date().toISOString(),
    machine: {
      cpu: cpus()[0]?.model ?? 'unknown',
      cores: availableParallelism(),
      memoryMiB: Math.round(totalmem() / 2 ** 20),
      platform: `${process.platform}-${process.arch}`,
    },
    node: process.version,
    ...revision(root),
  }
}

/** Appends each row as one JSON line. */
export async function appendHistory(file, rows, run) {
  await appendFile(file, rows.map((row) => `${JSON.stringify({ ...run, ...row })}\n`).join(''))
}

/** The commit, and whether the code differs from it; the history file itself always does after a run. */
function revision(root) {
  const git = (...args) =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  try {
    const changed = git('status', '--porcelain', '--', '.', ':!bench/history.ndjson')
    return { commit: git('rev-parse', 'HEAD'), dirty: changed !== '' }
  } catch {
    return { commit: null, dirty: null }
  }
}
