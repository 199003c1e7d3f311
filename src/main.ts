#!/usr/bin/env node
// The command: configuration in, exit codes out. 2: the command line or configuration is wrong; 1: all else that fails.

import { loadConfig } from './config/index.ts'
import { exampleFunctions, RingletError, start } from './server.ts'

async function main(): Promise<void> {
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
  const { config } = loaded
  const server = await start(
    config.functions.length > 0 ? config : { ...config, functions: exampleFunctions() },
  )
  const stop = (signal: NodeJS.Signals) => {
    // The next one of its kind kills: the default action is back.
    process.removeAllListeners('SIGTERM')
    process.removeAllListeners('SIGINT')
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(error, signal),
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
  fail(await server.failed)
}

function fail(error: unknown, during?: string): never {
  const text = error instanceof RingletError ? error.message : String((error as Error)?.stack ?? error)
  process.stderr.write(`ringlet: ${during === undefined ? '' : `${during}: `}${text}\n`)
  process.exit(error instanceof RingletError ? error.exitCode : 1)
}

main().catch((error: unknown) => fail(error))
