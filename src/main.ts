// The command: configuration in, exit codes out. 2: the command line or configuration is wrong; 1: all else that fails.

import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import manifest from '../package.json' with { type: 'json' }
import { RingletError } from './errors.ts'
import { startEarly } from './threads.ts'

/** With these nothing is served. */
const PRINTS = /^(-h|--help|--version|--print-config)$/

async function main(): Promise<void> {
  const [command, ...rest] = process.argv.slice(2)
  if (command === 'init' && !existsSync('init')) return init(rest)
  if (!process.argv.some((argument) => PRINTS.test(argument))) startEarly()
  // Loaded while the first thread starts.
  const [{ loadConfig }, { exampleFunctions, start }] = await Promise.all([
    import('./config/index.ts'),
    import('./server.ts'),
  ])
  const loaded = await loadConfig({ argv: process.argv.slice(2), env: process.env, cwd: process.cwd() })
  if (loaded.kind === 'print') {
    process.stdout.write(loaded.text)
    return
  }
  if (loaded.kind === 'exit') {
    process.stderr.write(loaded.text)
    process.exitCode = loaded.code
    return
  }
  // Before anything says that it listens: a signal may come right after.
  const stopping = nextSignal()
  const { config } = loaded
  const isEmpty = config.functions.length === 0 && config.static.length === 0
  const starting = start(isEmpty ? { ...config, functions: exampleFunctions() } : config)
  const server = await Promise.race([starting, stopping])
  // Nothing is in flight before the start is over.
  if (server === undefined) process.exit(0)
  const error = await Promise.race([server.failed, stopping])
  if (error !== undefined) fail(error)
  await server.stop()
  process.exit(0)
}

/** A handler may have the name `init`: a file of that name is served. */
async function init(args: readonly string[]): Promise<void> {
  const [folder = '.', ...excess] = args
  if (excess.length > 0 || folder.startsWith('-')) {
    process.stderr.write('ringlet: init takes one folder, or none for this one\n')
    process.exitCode = 2
    return
  }
  const { initProject } = await import('./starter/init.ts')
  const root = fileURLToPath(new URL('..', import.meta.url))
  const { exitCode, text } = await initProject(folder, process.cwd(), {
    root: resolve(root),
    version: manifest.version,
  })
  const output = exitCode === 0 ? process.stdout : process.stderr
  output.write(text)
  process.exitCode = exitCode
}

/** Resolves at the first SIGTERM or SIGINT; the second one kills, since the default action is back. */
function nextSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    const onSignal = () => {
      process.removeListener('SIGTERM', onSignal)
      process.removeListener('SIGINT', onSignal)
      resolve(undefined)
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}

function fail(error: unknown): never {
  const text = error instanceof RingletError ? error.message : String((error as Error)?.stack ?? error)
  process.stderr.write(`ringlet: ${text}\n`)
  process.exit(error instanceof RingletError ? error.exitCode : 1)
}

main().catch((error: unknown) => fail(error))
