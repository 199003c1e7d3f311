import { existsSync } from 'node:fs'
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ENGINE_VARIANTS } from '../../src/engine/module.ts'
import { type LogLine, type StartOptions, startServer } from '../support/server.ts'

const HANDLER = `
  import { greeting } from './greeting.ts'
  console.log('the top level runs')
  const madeAt = Math.random()
  export default (request, env) => {
    if (new URL(request.url).pathname === '/throw') throw new Error('on purpose')
    return Response.json({ greeting, madeAt, secret: env.SECRET ?? null, drawn: Math.random() })
  }`
const SECRET = 'aVerySecretValue-4711'

let folder: string
let cacheFolder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringlet-cache-'))
  cacheFolder = join(folder, 'cache', 'ringlet')
  await write('handler.ts', HANDLER)
  await write('greeting.ts', `export const greeting = 'hello'`)
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function write(name: string, text: string): Promise<void> {
  await mkdir(join(folder, name, '..'), { recursive: true })
  await writeFile(join(folder, name), text)
}

interface Started {
  readonly cached: number
  readonly answer: { greeting: string; madeAt: number; secret: string | null; drawn: number }
  readonly warnings: readonly LogLine[]
  readonly lines: readonly LogLine[]
}

/** One life of a server: started, asked once, stopped. */
async function life(options: StartOptions = {}): Promise<Started> {
  await using server = await startServer({ args: ['handler.ts'], ...options, folder })
  const answer = (await (await fetch(server.url)).json()) as Started['answer']
  expect((await server.stop()).code).toBe(0)
  const lines = server.logs()
  const listening = lines.find(({ msg }) => msg === 'listening')!
  return {
    cached: listening['cached'] as number,
    answer,
    lines,
    warnings: lines.filter(({ level }) => Number(level) >= 40),
  }
}

/** Every file of the cache. */
async function files(): Promise<string[]> {
  return (await readdir(cacheFolder)).map((name) => join(cacheFolder, name)).sort()
}

describe('a start with a warm cache', () => {
  test('is of one build of the engine: the other has its own', async () => {
    for (const engine of ENGINE_VARIANTS) {
      expect(await life({ engine })).toMatchObject({ cached: 0, warnings: [], answer: { greeting: 'hello' } })
    }
    for (const engine of ENGINE_VARIANTS) {
      const { cached, warnings, answer, lines } = await life({ engine })
      expect([cached, warnings, answer.greeting]).toEqual([1, [], 'hello'])
      expect(lines.find(({ msg }) => msg === 'listening')).toMatchObject({ engine })
    }
  })

  test('bundles nothing, runs no top-level code, and serves the same', async () => {
    const first = await life()
    expect(first).toMatchObject({ cached: 0, warnings: [], answer: { greeting: 'hello', secret: null } })
    expect(first.lines.map(({ msg }) => msg)).toContain('the top level runs')
    const second = await life()
    expect(second).toMatchObject({ cached: 1, warnings: [], answer: { greeting: 'hello', secret: null } })
    expect(second.lines.map(({ msg }) => msg)).not.toContain('the top level runs')
    // It is the first start's memory that goes on, with randomness of its own.
    expect(second.answer.madeAt).toBe(first.answer.madeAt)
    expect(second.answer.drawn).not.toBe(first.answer.drawn)
  })

  test('leaves private files', async () => {
    await life()
    const [file, ...others] = await files()
    expect(others).toEqual([])
    expect((await stat(file!)).mode & 0o777).toBe(0o600)
    expect((await stat(cacheFolder)).mode & 0o777).toBe(0o700)
  })

  test('shows positions in the source when a handler throws', async () => {
    await life()
    await using server = await startServer({ args: ['handler.ts'], folder })
    expect((await server.waitForLog(({ msg }) => msg === 'listening'))['cached']).toBe(1)
    expect((await fetch(`${server.url}/throw`)).status).toBe(500)
    const line = await server.waitForLog((each) => JSON.stringify(each).includes('on purpose'))
    expect(JSON.stringify(line)).toContain('handler.ts:6:')
  })

  test('has no value of any env on disk', async () => {
    const config = {
      functions: [{ name: 'f', file: 'handler.ts', routes: ['/*'], env: { SECRET } }],
    }
    const first = await life({ args: [], config })
    expect(first.answer.secret).toBe(SECRET)
    for (const file of await files()) expect((await readFile(file)).includes(SECRET)).toBe(false)
    const second = await life({ args: [], config })
    expect(second).toMatchObject({ cached: 1, answer: { secret: SECRET } })
    // Another secret is no other function.
    config.functions[0]!.env.SECRET = 'another'
    expect(await life({ args: [], config })).toMatchObject({ cached: 1, answer: { secret: 'another' } })
    for (const file of await files()) expect((await readFile(file)).includes(SECRET)).toBe(false)
  })

  test('off: nothing is kept', async () => {
    expect((await life({ args: ['--cache', 'off', 'handler.ts'] })).cached).toBe(0)
    expect((await life({ args: ['--cache', 'off', 'handler.ts'] })).cached).toBe(0)
    expect(existsSync(cacheFolder)).toBe(false)
  })

  test('in a folder of the configuration', async () => {
    const config = {
      cache: { folder: 'mine' },
      functions: [{ name: 'f', file: 'handler.ts', routes: ['/*'] }],
    }
    expect((await life({ args: [], config })).cached).toBe(0)
    expect((await life({ args: [], config })).cached).toBe(1)
    expect((await readdir(join(folder, 'mine'))).length).toBe(1)
    expect(existsSync(cacheFolder)).toBe(false)
  })

  test('two at once on one folder, cold and warm', async () => {
    for (const cached of [0, 1]) {
      const both = await Promise.all([life(), life()])
      for (const each of both) expect(each).toMatchObject({ warnings: [], answer: { greeting: 'hello' } })
      if (cached === 1) expect(both.map((each) => each.cached)).toEqual([1, 1])
      expect((await files()).length).toBe(1)
    }
  })
})

describe('a change makes a function anew', () => {
  /** What to change, and whether the answer differs. */
  const CHANGES: [string, () => Promise<void>, string?][] = [
    [
      'its source',
      () => write('handler.ts', HANDLER.replace('{ greeting,', `{ greeting: greeting + '!',`)),
      'hello!',
    ],
    ['a file it imports', () => write('greeting.ts', `export const greeting = 'howdy'`), 'howdy'],
    ['a tsconfig.json that appears', () => write('tsconfig.json', '{"compilerOptions":{"target":"es2022"}}')],
    ['a package.json that appears', () => write('package.json', '{"sideEffects":false}')],
  ]
  test.each(CHANGES)('%s', async (_, change, greeting = 'hello') => {
    await life()
    await change()
    expect(await life()).toMatchObject({ cached: 0, warnings: [], answer: { greeting } })
    expect(await life()).toMatchObject({ cached: 1, answer: { greeting } })
  })

  test('a file that comes before the one that was found', async () => {
    await write('handler.ts', HANDLER.replace('./greeting.ts', './greeting'))
    await life()
    await write('greeting.tsx', `export const greeting = 'nearer'`)
    expect(await life()).toMatchObject({ cached: 0, answer: { greeting: 'nearer' } })
  })

  test('a package nearer than the one that was found', async () => {
    await write('handler.ts', HANDLER.replace('./greeting.ts', 'greeting'))
    await write('node_modules/greeting/index.js', `export const greeting = 'package'`)
    expect((await life()).answer.greeting).toBe('package')
    expect((await life()).cached).toBe(1)
    await write('node_modules/greeting/package.json', '{"main":"other.js"}')
    await write('node_modules/greeting/other.js', `export const greeting = 'other'`)
    expect(await life()).toMatchObject({ cached: 0, answer: { greeting: 'other' } })
  })

  test('the limits that are part of an image', async () => {
    const config = (limits: object) => ({
      functions: [{ name: 'f', file: 'handler.ts', routes: ['/*'], limits }],
    })
    await life({ args: [], config: config({}) })
    expect((await life({ args: [], config: config({ cpuMs: 70 }) })).cached).toBe(1)
    expect((await life({ args: [], config: config({ stackBytes: 131072 }) })).cached).toBe(0)
    expect((await life({ args: [], config: config({ memoryBytes: 33554432 }) })).cached).toBe(0)
  })

  test('but not a new date of a file', async () => {
    await life()
    await utimes(join(folder, 'greeting.ts'), 1e9, 1e9)
    expect((await life()).cached).toBe(1)
  })
})

describe('what cannot be trusted or used is a warning, and the server serves', () => {
  const IGNORED = 'cache files ignored, and made again'

  test.each<[string, (file: string) => Promise<void>, boolean]>([
    [
      'a damaged file',
      async (file) => writeFile(file, Buffer.concat([await readFile(file), Buffer.from('x')])),
      true,
    ],
    ['an empty file', (file) => writeFile(file, ''), true],
    ['a file that others may write', (file) => chmod(file, 0o666), true],
    [
      'a link',
      async (file) => {
        await writeFile(join(folder, 'elsewhere'), await readFile(file), { mode: 0o600 })
        await rm(file)
        await symlink(join(folder, 'elsewhere'), file)
      },
      true,
    ],
  ])('%s', async (_, spoil, isMended) => {
    await life()
    const [file] = await files()
    await spoil(file!)
    const second = await life()
    expect(second).toMatchObject({ cached: 0, answer: { greeting: 'hello' } })
    expect(second.warnings).toMatchObject([{ msg: IGNORED, files: 1, folder: cacheFolder }])
    expect(await life()).toMatchObject({ cached: isMended ? 1 : 0, warnings: [] })
  })

  test('a file of another function under this one’s name', async () => {
    await life()
    const [own] = await files()
    await write('other.ts', `export default () => Response.json({ greeting: 'stranger' })`)
    await life({ args: ['other.ts'] })
    const other = (await files()).find((file) => file !== own)!
    await writeFile(own!, await readFile(other))
    const started = await life()
    expect(started).toMatchObject({ cached: 0, answer: { greeting: 'hello' } })
    expect(started.warnings).toMatchObject([{ msg: IGNORED }])
  })

  test('a folder that others may write', async () => {
    await mkdir(cacheFolder, { recursive: true })
    await chmod(cacheFolder, 0o777)
    for (let i = 0; i < 2; i++) {
      const started = await life()
      expect(started).toMatchObject({ cached: 0, answer: { greeting: 'hello' } })
      expect(started.warnings).toMatchObject([
        { msg: 'cache not used', reason: 'others may write the folder' },
      ])
    }
    expect(await files()).toEqual([])
  })

  test('a folder that cannot be made', async () => {
    const started = await life({ env: { XDG_CACHE_HOME: join(folder, 'handler.ts') } })
    expect(started).toMatchObject({ cached: 0, answer: { greeting: 'hello' } })
    expect(started.warnings).toMatchObject([{ msg: 'cache not used' }])
  })

  test('a folder of the package', async () => {
    const inside = fileURLToPath(new URL('../../dist/cache', import.meta.url))
    const config = {
      cache: { folder: inside },
      functions: [{ name: 'f', file: 'handler.ts', routes: ['/*'] }],
    }
    const started = await life({ args: [], config })
    expect(started.warnings).toMatchObject([
      { msg: 'cache not used', reason: 'it lies in the package itself' },
    ])
    expect(existsSync(inside)).toBe(false)
  })
})
