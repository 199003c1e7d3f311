// Starts the built server as the first and the second start on a cache do, asks it once, and ends it; the two programs leave their
// bytecode when they end (record-command.ts, record-actor.ts).

import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const STARTS = 2
const START_MS_MAX = 60_000
const FUNCTION = {
  name: 'hello',
  routes: ['/*'],
  code: `export default () => Response.json({ hello: 'world' })`,
}

/** `main`: path of the command that records. */
export async function recordCode(main) {
  const folder = await mkdtemp(join(tmpdir(), 'ringlet-build-'))
  try {
    const file = join(folder, 'config.json')
    const cache = { folder: join(folder, 'cache') }
    await writeFile(file, JSON.stringify({ port: 0, cores: 1, cache, functions: [FUNCTION] }))
    for (let start = 0; start < STARTS; start++) await startOnce([main, '--config', file], folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function startOnce(args, cwd) {
  const settings = Object.entries(process.env).filter(([name]) => !name.startsWith('RINGLET_'))
  const server = spawn(process.execPath, args, {
    cwd,
    env: Object.fromEntries(settings),
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: START_MS_MAX,
    killSignal: 'SIGKILL',
  })
  const ended = new Promise((resolve) => server.on('close', resolve))
  let isAnswered = false
  createInterface({ input: server.stdout }).on('line', async (line) => {
    const { msg, url } = JSON.parse(line)
    if (msg !== 'listening') return
    isAnswered = (await fetch(url).catch(() => undefined))?.ok === true
    server.kill('SIGTERM')
  })
  const code = await ended
  if (code !== 0 || !isAnswered)
    throw new Error(`the server that was built ended with ${code}, answered: ${isAnswered}`)
}
