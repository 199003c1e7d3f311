import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

const START_MS_MAX = 15_000
const STOP_MS_MAX = 15_000
const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Starts a server as a child process and waits for its `{"msg":"listening","port":...}` line.
 * @returns {Promise<{port: number, pid: number, startedAt: number, stop(): Promise<void>}>} `startedAt` in performance.now() terms
 */
export function startServer(script, args, cwd) {
  return startProgram(process.execPath, [script, ...args], cwd)
}

/** As {@link startServer}, for any program. workerd's own `{"event":"listen","port":...}` will do as well. */
export async function startProgram(command, args, cwd, startMsMax = START_MS_MAX) {
  const startedAt = performance.now()
  const child = spawn(command, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  const exit = new Promise((resolve) => {
    child.on('close', (code, signal) => {
      running.delete(child)
      resolve({ code, signal })
    })
  })
  const port = await listeningPort(child, exit, () => stderr, startMsMax)
  return { port, pid: child.pid, startedAt, stop: () => stop(child, exit) }
}

function listeningPort(child, exit, stderr, startMsMax) {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error('the server did not listen in time'))
    }, startMsMax)
    exit.then(({ code }) => {
      clearTimeout(deadline)
      reject(new Error(`the server ended with ${code} before it listened: ${stderr()}`))
    })
    createInterface({ input: child.stdout }).on('line', (line) => {
      const port = portOf(line)
      if (port === undefined) return
      clearTimeout(deadline)
      resolve(port)
    })
  })
}

function portOf(line) {
  try {
    const entry = JSON.parse(line)
    return entry.msg === 'listening' || entry.event === 'listen' ? entry.port : undefined
  } catch {
    return undefined
  }
}

async function stop(child, exit) {
  child.kill('SIGTERM')
  const deadline = setTimeout(() => child.kill('SIGKILL'), STOP_MS_MAX)
  await exit
  clearTimeout(deadline)
}

/** Resident size of a process in bytes; undefined where the system does not tell it by /proc. */
export function residentBytes(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) * 1024
  } catch {
    return undefined
  }
}

/** Ticks of /proc/PID/stat a second: USER_HZ, which Linux fixes at 100 for programs. */
const TICKS_PER_SECOND = 100

/** Processor time that a process has used, in milliseconds; NaN where the system does not tell it by /proc. */
export function processCpuMs(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The second field, the name, may hold blanks: counted from behind it, utime and stime are the 12th and 13th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND
  } catch {
    return Number.NaN
  }
}
