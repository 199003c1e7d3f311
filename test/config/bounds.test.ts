import { describe, expect, it } from 'vitest'
import { allKeys, type Key, settableKeys } from '../../src/config/keys.ts'
import { json, load, problems, type Sources } from './support.ts'

/** What has to be set along with a key's extreme, so that bounds between keys hold. */
const COMPANIONS: Readonly<Record<string, object>> = {
  'acceptor.readBufferBytes max': {
    ring: { requestBytes: 4_194_304 },
    connection: { receiveWindowBytes: 1_048_576 },
  },
  'ring.requestBytes min': { acceptor: { readBufferBytes: 4096 } },
  'ring.responseBytes min': { limits: { responseHeadBytes: 1024 } },
  'ring.highWatermark min': { ring: { lowWatermark: 0 } },
  'ring.lowWatermark max': { ring: { highWatermark: 1 } },
  'balance.busyShare min': { balance: { calmShare: 0 } },
  'balance.calmShare max': { balance: { busyShare: 1 } },
  'connection.receiveWindowBytes min': {
    acceptor: { readBufferBytes: 4096 },
    limits: { headBytes: 4096, targetBytes: 1024 },
  },
  'limits.headBytes min': { limits: { targetBytes: 512 } },
  'limits.headBytes max': { connection: { receiveWindowBytes: 2_097_152 } },
  'limits.targetBytes max': {
    limits: { headBytes: 1_048_576 },
    connection: { receiveWindowBytes: 2_097_152 },
  },
  'limits.bodyBytes max': { limits: { memoryBytes: 1_073_741_824 } },
  'limits.responseBytes max': { limits: { memoryBytes: 1_073_741_824 } },
  'limits.responseHeadBytes max': { ring: { responseBytes: 4_194_304 } },
  'limits.cpuMs max': { limits: { wallMs: 60_000 } },
  'limits.wallMs min': { limits: { cpuMs: 1 } },
  'limits.requestsPerRuntime max': { limits: { concurrency: 1024 } },
  'pool.maxPerFunction min': { pool: { prewarm: 1 } },
  'pool.prewarm max': { pool: { maxPerFunction: 1024 } },
  'gc.softBytes max': { gc: { highBytes: 1_073_741_824 }, limits: { memoryBytes: 1_073_741_824 } },
  'gc.highBytes min': { gc: { softBytes: 65_536 } },
  'files.cacheBytes min': { files: { fileBytes: 0, compressBytes: 0 } },
  'files.fileBytes max': { files: { cacheBytes: 268_435_456 } },
  'files.compressBytes max': { files: { cacheBytes: 268_435_456 } },
  'gc.highBytes max': { limits: { memoryBytes: 1_073_741_824 } },
}

const merged = (base: object, path: string, value: unknown): object => {
  const content = structuredClone(base) as Record<string, Record<string, unknown>>
  const [section, key] = path.split('.') as [string, string?]
  if (key === undefined) return { ...content, [section]: value }
  return { ...content, [section]: { ...content[section], [key]: value } }
}

const withFunctionLimit = (path: string, value: unknown, companions: object = {}): object => ({
  ...companions,
  functions: [{ name: 'a', code: 'x', routes: ['/'], limits: { [path.split('.').pop()!]: value } }],
})

const contentFor = ({ path }: Key, value: unknown, extreme?: 'min' | 'max'): Sources => {
  const common = path.replace('functions[].', '')
  const companions = extreme ? (COMPANIONS[`${common} ${extreme}`] ?? {}) : {}
  return json(
    path.includes('[]') ? withFunctionLimit(path, value, companions) : merged(companions, path, value),
  )
}

const shownPath = ({ path }: Key) => path.replace('[]', '[0]')

const numeric = allKeys().filter(({ info }) => info.kind === 'integer' || info.kind === 'number')

describe.each(numeric.map((key) => [key.path, key] as const))('%s', (_path, key) => {
  const { info } = key
  const step = info.kind === 'integer' ? 1 : 0.001
  it('refuses what is outside, naming key, value and bounds', async () => {
    for (const value of [info.min! - step, info.max! + step]) {
      expect(await problems(contentFor(key, value))).toEqual([
        `ringlet.json: ${shownPath(key)} is ${value}, must be ${info.rule}`,
      ])
      expect(info.rule).toContain(`from ${info.min} to ${info.max}`)
    }
  })
  it('accepts its bounds', async () => {
    for (const extreme of ['min', 'max'] as const) {
      const loaded = await load(contentFor(key, info[extreme], extreme))
      expect(loaded, JSON.stringify(loaded)).toMatchObject({ kind: 'run' })
    }
  })
})

const whole = numeric.filter(({ info }) => info.kind === 'integer')

it.each(whole.map((key) => [key.path, key] as const))('%s refuses a fraction', async (_path, key) => {
  const value = key.info.min! + 0.5
  expect(await problems(contentFor(key, value))).toEqual([
    `ringlet.json: ${shownPath(key)} is ${value}, must be ${key.info.rule}`,
  ])
})

const choices = settableKeys().filter(({ info }) => info.choices)

it.each(choices.map((key) => [key.path, key] as const))(
  '%s accepts its choices and nothing else',
  async (_path, key) => {
    for (const value of key.info.choices!) {
      expect(await load(contentFor(key, value))).toMatchObject({ kind: 'run' })
    }
    for (const value of [`${key.info.choices![0]}x`, key.info.choices![0]!.toUpperCase(), '', 1, true]) {
      expect(await problems(contentFor(key, value))).toEqual([
        `ringlet.json: ${key.path} is ${JSON.stringify(value)}, must be ${key.info.rule}`,
      ])
    }
  },
)

describe('lengths of texts and lists', () => {
  const oneFunction = (extra: object) =>
    json({ functions: [{ name: 'a', code: 'x', routes: ['/a'], ...extra }] })
  const routes = (count: number) => Array.from({ length: count }, (_, i) => `/${i}`)
  const variables = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`V${i}`, '']))
  const many = (count: number) =>
    Array.from({ length: count }, (_, i) => ({ name: `f${i}`, code: 'x', routes: [`/${i}`] }))
  const CASES: readonly [string, accepted: Sources, refused: Sources, path: string][] = [
    ['host', json({ host: 'h'.repeat(255) }), json({ host: 'h'.repeat(256) }), 'host'],
    [
      'name',
      oneFunction({ name: 'n'.repeat(64) }),
      oneFunction({ name: 'n'.repeat(65) }),
      'functions[0].name',
    ],
    [
      'file',
      oneFunction({ code: undefined, file: 'f'.repeat(4096) }),
      oneFunction({ code: undefined, file: 'f'.repeat(4097) }),
      'functions[0].file',
    ],
    [
      'code',
      oneFunction({ code: 'c'.repeat(1_048_576) }),
      oneFunction({ code: 'c'.repeat(1_048_577) }),
      'functions[0].code',
    ],
    [
      'route',
      oneFunction({ routes: [`/${'r'.repeat(1023)}`] }),
      oneFunction({ routes: [`/${'r'.repeat(1024)}`] }),
      'functions[0].routes[0]',
    ],
    [
      'routes',
      oneFunction({ routes: routes(100) }),
      oneFunction({ routes: routes(101) }),
      'functions[0].routes',
    ],
    ['env', oneFunction({ env: variables(256) }), oneFunction({ env: variables(257) }), 'functions[0].env'],
    [
      'a variable',
      oneFunction({ env: { A: 'v'.repeat(65_536) } }),
      oneFunction({ env: { A: 'v'.repeat(65_537) } }),
      'functions[0].env.A',
    ],
    ['functions', json({ functions: many(10_000) }), json({ functions: many(10_001) }), 'functions'],
  ]
  it.each(CASES)('%s', async (_title, accepted, refused, path) => {
    const loaded = await load(accepted)
    expect(loaded.kind === 'exit' ? loaded.text : loaded.kind).toBe('run')
    const lines = await problems(refused)
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(`ringlet.json: ${path} is `)
  })
})
