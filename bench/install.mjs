// npm run bench -- install: what the benchmarks compare with. isolated-vm has no binaries for Node.js 20: it is compiled, with
// the headers that the registry's package of that version of Node.js carries; where that fails it is skipped by name.
import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { moduleOf } from './peers/isolated-vm-release.mjs'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const require = createRequire(import.meta.url)
/** One process alone may take as much as the compiler wants. */
const BUILD_MS_MAX = 20 * 60_000

const run = (command, args, cwd) =>
  execFileSync(command, args, { cwd, stdio: 'inherit', timeout: BUILD_MS_MAX })

export async function install(report) {
  run('npm', ['ci', '--ignore-scripts', '--no-workspaces'], HERE)
  const name = moduleOf(process.versions.node)
  try {
    require(name)
  } catch {
    report(`${name}: no binary for this Node.js, compiling it`)
    await compile(name).catch((error) => report(`${name}: not compiled: ${error.message}`))
  }
}

async function compile(name) {
  const headers = await mkdtemp(join(tmpdir(), 'ringlet-headers-'))
  try {
    const node = `node-${process.platform}-${process.arch}`
    run(
      'npm',
      ['install', '--ignore-scripts', '--prefix', headers, `${node}@${process.versions.node}`],
      headers,
    )
    const gyp = join(
      dirname(process.execPath),
      '../lib/node_modules/npm/node_modules/node-gyp/bin/node-gyp.js',
    )
    const nodedir = join(headers, 'node_modules', node)
    run(process.execPath, [gyp, 'rebuild', `--nodedir=${nodedir}`], join(HERE, 'node_modules', name))
  } finally {
    await rm(headers, { recursive: true, force: true })
  }
}
