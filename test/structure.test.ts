// The architecture as a test: which room may import from which, no cycles, and who may name what.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter(
      (name) => name.endsWith('.ts') && !name.endsWith('.d.ts') && !/\/(dist|node_modules)\//.test(name),
    )
}

const files = [...sources('src'), ...sources('workers')]
const IMPORT = /^(?:import|export)\s+(type\s)?(?:[^'"]*?\sfrom\s+)?'([^']+)'/gm

interface Import {
  readonly from: string
  /** A file of the project, relative to its root, or a package's name. */
  readonly to: string
  readonly isType: boolean
}

const imports: Import[] = files.flatMap((from) =>
  [...readFileSync(join(root, from), 'utf8').matchAll(IMPORT)].map(([, type, name]) => ({
    from,
    to: name!.startsWith('.') ? relative(root, join(root, dirname(from), name!)) : name!,
    isType: type !== undefined,
  })),
)

const room = (file: string): string => /^src\/([^/]+)\//.exec(file)?.[1] ?? file

describe('rooms', () => {
  // Each room: what it may import beside itself, packages and node's own modules left out.
  const MAY_IMPORT: Record<string, readonly string[]> = {
    shared: [],
    http: [],
    text: [],
    starter: [],
    // For the host's part of the pure ops (src/guest/host.ts).
    guest: ['text'],
    config: ['src/cli.ts', 'src/errors.ts', 'src/host/fetch/rules.ts'],
    host: ['guest', 'src/errors.ts'],
    acceptor: ['src/errors.ts', 'src/protocol.ts', 'src/file-record.ts', 'src/shard.ts', 'src/metrics.ts'],
    functions: ['src/errors.ts'],
    engine: ['guest', 'functions', 'host', 'src/errors.ts'],
    static: ['config', 'src/errors.ts', 'src/file-record.ts'],
    cache: ['engine', 'functions', 'src/errors.ts'],
    actor: [
      'engine',
      'functions',
      'guest',
      'host',
      'http',
      'config',
      'static',
      'src/file-record.ts',
      'src/protocol.ts',
      'src/shard.ts',
      'src/metrics.ts',
      'src/clock.ts',
      'src/standing.ts',
      'src/errors.ts',
      'src/log.ts',
    ],
  }

  test.each(Object.entries(MAY_IMPORT))('%s imports only what it may', (name, allowed) => {
    const strangers = imports.filter(({ from, to }) => {
      const isOurs = to.startsWith('src/')
      return (
        room(from) === name &&
        isOurs &&
        room(to) !== name &&
        !allowed.includes(room(to)) &&
        !allowed.includes(to)
      )
    })
    expect(strangers).toEqual([])
  })

  test('the acceptor’s thread never loads the parser, the engine or the actor', () => {
    const reached = new Set<string>()
    const visit = (file: string) => {
      if (reached.has(file)) return
      reached.add(file)
      for (const { to } of imports.filter(({ from, isType }) => from === file && !isType)) visit(to)
    }
    visit('src/acceptor/acceptor.ts')
    visit('src/acceptor/link.ts')
    visit('src/supervisor.ts')
    expect([...reached].filter((file) => /^src\/(http|engine|guest|actor)\//.test(file))).toEqual([])
    expect(reached.has('src/protocol.ts')).toBe(true)
  })

  test('only the engine imports quickjs-emscripten', () => {
    const users = imports.filter(({ to }) => /quickjs/.test(to)).map(({ from }) => room(from))
    expect(new Set(users)).toEqual(new Set(['engine']))
  })

  test('only the ring package names Atomics', () => {
    const users = files.filter((file) =>
      /\bAtomics\./.test(readFileSync(join(root, file), 'utf8').replace(/^\s*(\/\/|\*).*$/gm, '')),
    )
    expect(new Set(users.map(room))).toEqual(new Set(['shared']))
  })
})

test('no import cycles', () => {
  const state = new Map<string, 'open' | 'done'>()
  const cycles: string[] = []
  const visit = (file: string, path: readonly string[]) => {
    if (state.get(file) === 'done') return
    if (state.get(file) === 'open') {
      cycles.push([...path.slice(path.indexOf(file)), file].join(' → '))
      return
    }
    state.set(file, 'open')
    for (const { to } of imports.filter(({ from, isType }) => from === file && !isType)) {
      if (to.startsWith('src/')) visit(to, [...path, file])
    }
    state.set(file, 'done')
  }
  for (const file of files) visit(file, [])
  expect(cycles).toEqual([])
})

test('no file grows past one idea', () => {
  const long = files
    .map((file) => ({ file, lines: readFileSync(join(root, file), 'utf8').split('\n').length }))
    .filter(({ lines }) => lines > 500)
  expect(long).toEqual([])
})
