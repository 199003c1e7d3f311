import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import type { EngineVariant } from '../../src/engine/module.ts'

/** The command under test: the built one, or an installed one named by E2E_MAIN. */
const MAIN = process.env['E2E_MAIN'] ?? fileURLToPath(new URL('../../dist/main.js', import.meta.url))

const START_DEADLINE_MS = 15_000
const STOP_DEADLINE_MS = 15_000

export type LogLine = Readonly<Record<string, unknown>>

/** How a command ended. */
type Exit = {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

export type StartOptions = {
  /** The build of the engine; the default one where it is not given. */
  readonly engine?: EngineVariant
  /** The command, where it is not the built one. */
  readonly main?: string
  /** Flags and the handler. `--cores 1`, `--port 0` and `--host 127.0.0.1` are added where absent. */
  readonly args?: readonly string[]
  /** Written to a JSON file that `--config` names. */
  readonly config?: object
  /** Files of the working folder, by relative path. `args` may name them. */
  readonly handlerFiles?: Readonly<Record<string, string>>
  /** Runs in this folder, which must exist and stays; by default in one of its own. */
  readonly folder?: string
  /** Added to the environment, from which every RINGLET_* variable of the test run is taken out. */
  readonly env?: Readonly<Record<string, string>>
}

/** A finished command: what it printed and how it ended. */
export type Run = Exit & { readonly stdout: string }

/** A server in a child process of its own. Dispose of it (`await using`) or stop it. */
export type RunningServer = {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** The folder it runs in. */
  readonly folder: string
  /** Every log line so far. */
  logs(): readonly LogLine[]
  /** The first line, past or to come, that satisfies `predicate`. Rejects when the server ends without it. */
  waitForLog(predicate: (line: LogLine) => boolean): Promise<LogLine>
  kill(signal: NodeJS.Signals): void
  /** Sends `signal` (SIGTERM) and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Exit>
  readonly exit: Promise<Exit>
  [Symbol.asyncDispose](): Promise<void>
}

const alive = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL')
})

/** Starts the command and waits for its `listening` line. Rejects with what it printed when it ends before that. */
export async function startServer(options: StartOptions = {}): Promise<RunningServer> {
  const folder = await prepare(options)
  const child = launch(folder, options)
  const log = new LogReader(child)
  const stderr = collect(child.stderr!)
  const exit = exitOf(child, stderr).finally(() => log.end())
  const remove = () => removeOwn(folder, options)
  let listening: LogLine
  try {
    listening = await withDeadline(
      log.waitFor((line) => line['msg'] === 'listening'),
      START_DEADLINE_MS,
      'the listening line',
    )
  } catch (error) {
    child.kill('SIGKILL')
    const ended = await exit
    await remove()
    throw new Error(`the server did not start (${describe(ended)})\n${log.tail()}\n${ended.stderr}`, {
      cause: error,
    })
  }
  const port = Number(listening['port'])
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    folder,
    exit,
    logs: () => log.lines,
    waitForLog: (predicate) => withDeadline(log.waitFor(predicate), STOP_DEADLINE_MS, 'a log line'),
    kill: (signal) => void child.kill(signal),
    stop: (signal = 'SIGTERM') => {
      child.kill(signal)
      return withDeadline(exit, STOP_DEADLINE_MS, `the end after ${signal}`)
    },
    async [Symbol.asyncDispose]() {
      if (alive.has(child)) child.kill('SIGKILL')
      await exit
      await remove()
    },
  }
}

/** Runs the command to its end, for commands that are expected not to serve. */
export async function runCommand(options: StartOptions = {}): Promise<Run> {
  const folder = await prepare(options)
  try {
    const child = launch(folder, options)
    const stdout = collect(child.stdout!)
    const stderr = collect(child.stderr!)
    const exit = exitOf(child, stderr)
    try {
      const ended = await withDeadline(exit, START_DEADLINE_MS, 'the end of the command')
      return { ...ended, stdout: stdout() }
    } finally {
      if (alive.has(child)) child.kill('SIGKILL')
      await exit
    }
  } finally {
    await removeOwn(folder, options)
  }
}

async function removeOwn(folder: string, options: StartOptions): Promise<void> {
  if (options.folder === undefined) await rm(folder, { recursive: true, force: true })
}

async function prepare({ config, handlerFiles = {}, folder: given }: StartOptions): Promise<string> {
  if (!existsSync(MAIN)) throw new Error(`${MAIN} is not there: run \`npm run build\` first`)
  const folder = given ?? (await mkdtemp(join(tmpdir(), 'ringlet-e2e-')))
  for (const [name, text] of Object.entries(handlerFiles)) {
    await mkdir(dirname(join(folder, name)), { recursive: true })
    await writeFile(join(folder, name), text)
  }
  if (config) await writeFile(join(folder, 'test-config.json'), JSON.stringify(config))
  return folder
}

function launch(
  folder: string,
  { args = [], engine, main = MAIN, config, env = {} }: StartOptions,
): ChildProcess {
  const given = new Set(args)
  const defaults: string[] = []
  if (!given.has('--cores')) defaults.push('--cores', '1')
  if (!given.has('--port')) defaults.push('--port', '0')
  if (!given.has('--host')) defaults.push('--host', '127.0.0.1')
  if (engine !== undefined) defaults.push('--engine', engine)
  if (config) defaults.push('--config', 'test-config.json')
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !foreign(name)))
  const child = spawn(process.execPath, [main, ...defaults, ...args], {
    cwd: folder,
    // A cache of its own: no test finds what another, or the user, has left.
    env: { ...inherited, XDG_CACHE_HOME: join(folder, 'cache'), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  alive.add(child)
  return child
}

/** Settings of the test run itself must not change the server under test. */
function foreign(name: string): boolean {
  return (
    name.startsWith('RINGLET_') || name.startsWith('VITEST') || name === 'NODE_ENV' || name === 'NODE_OPTIONS'
  )
}

function exitOf(child: ChildProcess, stderr: () => string): Promise<Exit> {
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      alive.delete(child)
      resolve({ code, signal, stderr: stderr() })
    })
  })
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    text += chunk
  })
  return () => text
}

function describe(exit: Exit): string {
  return exit.signal ? `killed by ${exit.signal}` : `exit code ${exit.code}`
}

async function withDeadline<T>(promise: Promise<T>, deadlineMs: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${deadlineMs} ms`)), deadlineMs)
  })
  try {
    return await Promise.race([promise, deadline])
  } finally {
    clearTimeout(timer)
  }
}

type Waiter = {
  predicate: (line: LogLine) => boolean
  resolve: (line: LogLine) => void
  reject: (error: Error) => void
}

/** Parses the child's standard output: one JSON object a line; anything else is kept as `{ raw }`. */
class LogReader {
  readonly lines: LogLine[] = []
  #waiters: Waiter[] = []
  #ended = false

  constructor(child: ChildProcess) {
    createInterface({ input: child.stdout! }).on('line', (text) => this.#take(text))
  }

  waitFor(predicate: (line: LogLine) => boolean): Promise<LogLine> {
    const known = this.lines.find(predicate)
    if (known) return Promise.resolve(known)
    if (this.#ended) return Promise.reject(new Error(`the server ended without the log line\n${this.tail()}`))
    return new Promise((resolve, reject) => this.#waiters.push({ predicate, resolve, reject }))
  }

  end(): void {
    this.#ended = true
    for (const waiter of this.#waiters) {
      waiter.reject(new Error(`the server ended without the log line\n${this.tail()}`))
    }
    this.#waiters = []
  }

  tail(): string {
    return this.lines
      .slice(-10)
      .map((line) => JSON.stringify(line))
      .join('\n')
  }

  #take(text: string): void {
    const line = parseLine(text)
    this.lines.push(line)
    this.#waiters = this.#waiters.filter((waiter) => {
      if (!waiter.predicate(line)) return true
      waiter.resolve(line)
      return false
    })
  }
}

function parseLine(text: string): LogLine {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as LogLine
  } catch {
    // A line that is not JSON is evidence for the test that reads it, not a failure here.
  }
  return { raw: text }
}
