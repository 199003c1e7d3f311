import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { startProgram } from '../lib/server.mjs'
import { moduleOf } from './isolated-vm-release.mjs'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const require = createRequire(import.meta.url)
const MAIN = path('../../dist/main.js')
const HERE = path('.')

/** A file of a package that has the peer's program for this platform; undefined when it is not installed. */
function program(...candidates) {
  return candidates.map((name) => path(`../node_modules/${name}`)).find((name) => existsSync(name))
}

const arch = { x64: 'x64', arm64: 'aarch64' }[process.arch]
const BUN = program(`@oven/bun-linux-${arch}/bin/bun`, `@oven/bun-darwin-${arch}/bin/bun`)
const DENO = program(`@deno/linux-${process.arch}-glibc/deno`, `@deno/darwin-${process.arch}/deno`)
const workerdArch = process.arch === 'x64' ? '64' : process.arch
const WORKERD = program(
  `@cloudflare/workerd-linux-${workerdArch}/bin/workerd`,
  `@cloudflare/workerd-darwin-${workerdArch}/bin/workerd`,
)

const node = (script) => ({ command: process.execPath, args: [path(`servers/${script}.mjs`)] })

/** Why a module cannot be used, undefined when it can. */
function missing(name) {
  try {
    require(name)
    return undefined
  } catch (error) {
    return error.code === 'ERR_REQUIRE_ESM' ? undefined : String(error.message).split('\n')[0]
  }
}

function installed(name) {
  return existsSync(path(`../node_modules/${name}`)) ? undefined : 'not installed'
}

/** Ringlet as it is when installed: defaults, no access lines. */
function ringlet(name, options, facts) {
  const args = ['--port', '0', '--host', '127.0.0.1', '--access-log', 'off', ...options, path('fetch.js')]
  return { name, command: process.execPath, args: [MAIN, ...args], facts }
}

const LIMITS = 'processor time, wall time, memory, stack, calls, answers'

/**
 * Every peer: how it is started, why it cannot be (`skip`), what it gives (`facts`: isolation between requests, what is limited),
 * and which cases it is for (`cases`), if not for all.
 */
export const PEERS = [
  ringlet('ringlet', ['--cores', '2'], { isolation: 'a runtime a function, reused', limits: LIMITS }),
  ringlet('ringlet, request', ['--cores', '2', '--isolation', 'request'], {
    isolation: 'a pristine runtime a request',
    limits: LIMITS,
  }),
  {
    name: 'ringlet, 64 requests a runtime',
    command: process.execPath,
    args: [MAIN, '--config', path('servers/ringlet-together.json')],
    cases: ['timer'],
    facts: { isolation: 'a runtime a function, reused, for requests side by side', limits: LIMITS },
  },
  { name: 'node:http', ...node('node-http'), facts: { isolation: 'none', limits: 'none' } },
  {
    name: 'fastify',
    ...node('fastify'),
    skip: installed('fastify'),
    facts: { isolation: 'none', limits: 'none' },
  },
  {
    name: 'hono on node',
    ...node('hono'),
    skip: installed('hono'),
    facts: { isolation: 'none', limits: 'none' },
  },
  {
    name: 'isolated-vm',
    ...node('isolated-vm'),
    skip: missing(moduleOf(process.versions.node)),
    facts: { isolation: 'an isolate, reused', limits: 'wall time a call, heap' },
  },
  {
    name: 'quickjs-emscripten',
    ...node('quickjs-emscripten'),
    skip: installed('quickjs-emscripten'),
    facts: { isolation: 'a context a request', limits: 'wall time, heap as far as it holds, stack' },
  },
  {
    name: 'quickjs-wasi',
    ...node('quickjs-wasi'),
    skip: installed('quickjs-wasi'),
    facts: { isolation: 'a snapshot a request', limits: 'wall time, heap' },
  },
  {
    name: 'workerd',
    command: WORKERD,
    args: ['serve', '--control-fd=1', path('servers/workerd.capnp')],
    skip: WORKERD === undefined ? 'not installed' : undefined,
    facts: { isolation: 'an isolate, reused', limits: 'none when self-hosted' },
  },
  {
    name: 'Bun.serve',
    command: BUN,
    args: [path('servers/bun.js')],
    skip: BUN === undefined ? 'not installed' : undefined,
    facts: { isolation: 'none', limits: 'none' },
  },
  {
    name: 'Deno.serve',
    command: DENO,
    args: ['run', '--allow-net', path('servers/deno.js')],
    skip: DENO === undefined ? 'not installed' : undefined,
    facts: { isolation: 'none', limits: 'permissions, no quotas' },
  },
]

/** Starts a peer, as a process of its own that listens on a free port. */
export const startPeer = ({ command, args }) => startProgram(command, args, HERE)
