import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Resident size of a process in bytes, as the system counts it. */
export function residentBytes(pid: number): number {
  if (process.platform === 'linux') {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
    if (!match) throw new Error(`no VmRSS for process ${pid}`)
    return Number(match[1]) * 1024
  }
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'latin1' })) * 1024
}
