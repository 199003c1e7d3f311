import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ConfigError, defaultConfig, functionLimits, loadConfig } from '../../src/config/index.ts'
import { allKeys, environmentName, settableKeys } from '../../src/config/keys.ts'
import { json, load, problems, run } from './support.ts'

const at = (config: unknown, path: string): unknown =>
  path.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], config)

describe('precedence', () => {
  const files = { 'ringlet.json': JSON.stringify({ port: 1001, log: { level: 'warn', access: 'on' } }) }

  it('defaults < file < environment < flags', async () => {
    expect((await run({})).port).toBe(8080)
    expect((await run({ files })).port).toBe(1001)
    expect((await run({ files, env: { RINGLET_PORT: '1002' } })).port).toBe(1002)
    expect((await run({ files, env: { RINGLET_PORT: '1002' }, argv: ['--port', '1003'] })).port).toBe(1003)
  })

  it('goes key by key within a section', async () => {
    const { log } = await run({ files, env: { RINGLET_LOG_LEVEL: 'error' } })
    expect(log).toEqual({ level: 'error', access: 'on', sampleEvery: 100, lineBytes: 8192 })
  })

  it('an outranked mistake of a value does not matter, an outranked unknown key does', async () => {
    expect((await run({ env: { RINGLET_PORT: 'x' }, argv: ['--port', '1'] })).port).toBe(1)
    expect(await problems({ ...json({ prt: 1 }), argv: ['--port', '1'] })).toHaveLength(1)
  })

  it('takes the file of --config before RINGLET_CONFIG before those found', async () => {
    const all = { 'ringlet.json': '{"port":1}', 'b.json': '{"port":2}', 'c.toml': 'port = 3' }
    expect((await run({ files: all })).port).toBe(1)
    expect((await run({ files: all, env: { RINGLET_CONFIG: 'b.json' } })).port).toBe(2)
    const last = await load({ files: all, env: { RINGLET_CONFIG: 'b.json' }, argv: ['--config', 'c.toml'] })
    expect(last).toMatchObject({ kind: 'run', configFile: '/app/c.toml', config: { port: 3 } })
  })
})

describe('environment', () => {
  it('has a name of its own for every key outside lists', () => {
    const names = settableKeys().map(({ path }) => environmentName(path))
    expect(new Set(names).size).toBe(names.length)
    expect(names).not.toContain('RINGLET_CONFIG')
    expect(names).toEqual(
      expect.arrayContaining(['RINGLET_PORT', 'RINGLET_LIMITS_CPU_MS', 'RINGLET_LOG_LINE_BYTES']),
    )
  })

  it.each(settableKeys().map((key) => [environmentName(key.path), key] as const))(
    '%s sets its key',
    async (name, { path, info }) => {
      const number = info.kind === 'integer' || info.kind === 'number'
      const value = number
        ? at(defaultConfig(), path)
        : (info.choices?.at(-1) ?? (path === 'cache.folder' ? '/a/folder' : 'localhost'))
      expect(at(await run({ env: { [name]: String(value) } }), path)).toBe(value)
    },
  )

  it('counts the cache’s folder from that of the configuration file', async () => {
    const loaded = await run({ env: { RINGLET_CACHE_FOLDER: 'near' } })
    expect(at(loaded, 'cache.folder')).toBe('/app/near')
    expect(at(await run({}), 'cache.folder')).toBe(null)
  })

  it('ignores other variables and those unset', async () => {
    const env = { PATH: '/bin', RINGLETS: '1', RINGLET_PORT: undefined }
    expect(await loadConfig({ argv: [], env, cwd: '/nowhere' })).toMatchObject({
      kind: 'run',
      config: { port: 8080 },
    })
  })
})

describe('flags', () => {
  const FLAGS: readonly [readonly string[], string, unknown][] = [
    [['--cores', '3'], 'cores', 3],
    [['--port=0'], 'port', 0],
    [['--host', '::1'], 'host', '::1'],
    [['--isolation', 'request'], 'isolation', 'request'],
    [['--log-level', 'silent'], 'log.level', 'silent'],
    [['--access-log', 'sampled'], 'log.access', 'sampled'],
  ]
  it.each(FLAGS)('%j', async (argv, path, value) => {
    expect(at(await run({ argv }), path)).toBe(value)
  })

  it('--version and --help print and do nothing else, whatever the rest', async () => {
    const files = { 'ringlet.json': 'broken' }
    expect(await load({ argv: ['--version'], files })).toEqual({
      kind: 'print',
      text: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
    const help = await load({ argv: ['--help'], files })
    if (help.kind !== 'print') throw new Error(help.kind)
    const flags = settableKeys().flatMap(({ info }) => info.flag ?? [])
    for (const flag of [...flags, '--config', '-e, --eval', '--print-config', '[handler]'])
      expect(help.text).toContain(flag)
  })

  it('a flag that only begins with letters of another is unknown', async () => {
    expect(await problems({ argv: ['--por', '1'] })).toEqual([
      "unknown option '--por' (did you mean --port?)",
    ])
  })
})

describe('functions', () => {
  it('[handler] is one function at every path, named after its file', async () => {
    const named = async (file: string) => (await run({ argv: [file] })).functions
    expect(await named('src/Hello World.ts')).toEqual([
      { name: 'hello-world', file: '/app/src/Hello World.ts', routes: ['/*'] },
    ])
    expect(await named('/abs/a.test.tsx')).toEqual([
      { name: 'a-test', file: '/abs/a.test.tsx', routes: ['/*'] },
    ])
    expect((await named('.hidden'))[0]!.name).toBe('hidden')
    expect((await named('ä.js'))[0]!.name).toBe('handler')
    expect((await named(`${'n'.repeat(200)}.js`))[0]!.name).toHaveLength(64)
  })

  it('-e is one function at every path', async () => {
    const { functions } = await run({ argv: ['-e', '-1; export default () => 1'] })
    expect(functions).toEqual([{ name: 'eval', code: '-1; export default () => 1', routes: ['/*'] }])
  })

  it('[handler] keeps the rest of a configuration file', async () => {
    const config = await run({ ...json({ port: 5, functions: [] }), argv: ['a.ts'] })
    expect(config).toMatchObject({ port: 5, functions: [{ name: 'a' }] })
  })

  it('files count from the folder of the configuration file', async () => {
    const content = {
      functions: [
        { name: 'a', file: './a.ts', routes: ['/a'] },
        { name: 'b', file: '/x/b.ts', routes: ['/b/*'] },
      ],
    }
    const config = await run({
      argv: ['--config', 'etc/r.json'],
      files: { 'etc/r.json': JSON.stringify(content) },
    })
    expect(config.functions.map(({ file }) => file)).toEqual(['/app/etc/a.ts', '/x/b.ts'])
  })

  it("a function's limits are its own, else the common ones", async () => {
    const limits = { cpuMs: 7, timers: 3 }
    const config = await run(
      json({ limits: { wallMs: 123 }, functions: [{ name: 'a', code: 'x', routes: ['/'], limits }] }),
    )
    expect(functionLimits(config, config.functions[0]!.limits)).toEqual({
      cpuMs: 7,
      wallMs: 123,
      memoryBytes: 67_108_864,
      stackBytes: 262_144,
      responseBytes: 8_388_608,
      streamBytes: 1_073_741_824,
      streamIdleMs: 60_000,
      streamMs: 3_600_000,
      timers: 3,
      pendingCalls: 100,
      subrequests: 50,
      hostCalls: 10_000,
      concurrency: 64,
      requestsPerRuntime: 1,
    })
    expect(functionLimits(config, undefined).cpuMs).toBe(50)
  })
})

describe('files', () => {
  it('JSON and TOML say the same', async () => {
    const toml = `
      port = 9000
      [limits]
      cpuMs = 20
      [ring]
      highWatermark = 0.5
      [[functions]]
      name = "a"
      code = "x"
      routes = ["/a", "/a/*"]
      env = { KEY = "value" }
      [functions.limits]
      timers = 1
    `
    const content = {
      port: 9000,
      limits: { cpuMs: 20 },
      ring: { highWatermark: 0.5 },
      functions: [
        { name: 'a', code: 'x', routes: ['/a', '/a/*'], env: { KEY: 'value' }, limits: { timers: 1 } },
      ],
    }
    expect(await run({ files: { 'ringlet.toml': toml } })).toEqual(await run(json(content)))
  })

  it.each(['ringlet.config.json', 'ringlet.json'])('%s is found', async (name) => {
    expect(await load({ files: { [name]: '\uFEFF{"port":7}' } })).toMatchObject({
      configFile: `/app/${name}`,
      config: { port: 7 },
    })
  })

  it('are read from the disk; what cannot be read is one line', async () => {
    const cwd = await mkdtemp(join(tmpdir(), 'ringlet-config-'))
    const options = { argv: [], env: {}, cwd }
    try {
      expect(await loadConfig(options)).toMatchObject({ kind: 'run', config: { port: 8080 } })
      await writeFile(join(cwd, 'ringlet.json'), '{"port": 7}')
      expect(await loadConfig(options)).toMatchObject({
        config: { port: 7 },
        configFile: join(cwd, 'ringlet.json'),
      })
      await writeFile(join(cwd, 'ringlet.json'), Buffer.from([0x22, 0xff, 0x22]))
      expect(await loadConfig(options)).toMatchObject({
        text: 'ringlet: ringlet.json: the configuration file cannot be read: it is not UTF-8 text\n',
      })
      await writeFile(join(cwd, 'ringlet.json'), Buffer.alloc(16 * 1024 * 1024 + 1, 0x20))
      expect(await loadConfig(options)).toMatchObject({
        code: 2,
        text: 'ringlet: ringlet.json: the configuration file cannot be read: it has 16777217 bytes, must have at most 16777216\n',
      })
      expect(await loadConfig({ ...options, argv: ['--config', cwd] })).toMatchObject({
        text: `ringlet: ${cwd}: the configuration file cannot be read: EISDIR\n`,
      })
    } finally {
      await rm(cwd, { recursive: true })
    }
  })
})

describe('--print-config', () => {
  const content = {
    port: 9000,
    limits: { cpuMs: 20 },
    functions: [
      { name: 'a', file: 'a.ts', routes: ['/a'], isolation: 'bounded', limits: { cpuMs: 10 } },
      { name: 'b', code: 'x', routes: ['/b/*'], env: { TOKEN: 'hunter2', EMPTY: '' } },
    ],
  }
  const printed = async (sources: Parameters<typeof load>[0]): Promise<string> => {
    const loaded = await load({ ...sources, argv: ['--print-config', ...(sources.argv ?? [])] })
    if (loaded.kind !== 'print') throw new Error(JSON.stringify(loaded))
    return loaded.text
  }

  it('shows every key, and no secret', async () => {
    const text = await printed({ ...json(content), argv: ['--port', '1'] })
    expect(text).not.toContain('hunter2')
    const config = JSON.parse(text)
    expect(config).toMatchObject({
      port: 1,
      limits: { cpuMs: 20 },
      functions: [{}, { env: { TOKEN: '[redacted]', EMPTY: '[redacted]' } }],
    })
    for (const { path } of settableKeys()) expect(at(config, path), path).toBeDefined()
  })

  it('is accepted as a file and means the same, once secrets are put back', async () => {
    const text = await printed(json(content))
    expect(await problems({ files: { 'ringlet.json': text } })).toHaveLength(2)
    const again = JSON.parse(text)
    again.functions[1].env = content.functions[1]!.env
    expect(await run(json(again))).toEqual(await run(json(content)))
    expect(await printed(json(again))).toBe(text)
  })

  it('refuses what a start would refuse', async () => {
    expect(await problems({ argv: ['--print-config', '--port', 'x'] })).toHaveLength(1)
  })
})

describe('defaultConfig', () => {
  it('is what a start without anything gets', async () => {
    expect(defaultConfig()).toEqual(await run({}))
    expect(defaultConfig({ limits: { cpuMs: 5 } }).limits).toEqual({ ...defaultConfig().limits, cpuMs: 5 })
  })

  it('refuses what a file could not hold, each with its line', () => {
    const wrong = () => defaultConfig({ port: -1, prot: 1 } as never)
    expect(wrong).toThrow(ConfigError)
    expect(wrong).toThrow(
      'options: unknown key prot (did you mean port?)\noptions: port is -1, must be a whole number from 0 to 65535',
    )
  })

  it('is frozen throughout, and two share nothing', () => {
    const config = defaultConfig({ functions: [{ name: 'a', file: 'a.ts', routes: ['/'] }] }, '/app')
    const parts: unknown[] = [
      config,
      ...Object.values(config),
      config.functions[0],
      config.functions[0]!.routes,
    ]
    for (const part of parts) expect(Object.isFrozen(part)).toBe(true)
    expect(config.functions[0]!.file).toBe('/app/a.ts')
  })

  it('every default is within its own bounds', () => {
    const numbers = allKeys().filter(({ info }) => info.kind === 'integer' || info.kind === 'number')
    for (const { path, info, default: value } of numbers) {
      if (path.includes('[]')) continue
      expect(value, path).toBeGreaterThanOrEqual(info.min!)
      expect(value, path).toBeLessThanOrEqual(info.max!)
    }
  })
})

it('never throws or says nothing, whatever the file holds', async () => {
  const keys = fc.constantFrom(
    'port',
    'limits',
    'cpuMs',
    'functions',
    'env',
    'name',
    'routes',
    'code',
    '__proto__',
    'x',
  )
  const { content } = fc.letrec((tie) => ({
    content: fc.oneof(
      { depthSize: 'small' },
      fc.jsonValue(),
      fc.array(tie('content'), { maxLength: 3 }),
      fc.dictionary(keys, tie('content')),
    ),
  }))
  await fc.assert(
    fc.asyncProperty(content, async (value) => {
      const loaded = await load({ files: { 'ringlet.json': JSON.stringify(value) } })
      if (loaded.kind === 'run') return
      if (loaded.kind !== 'exit') throw new Error(loaded.kind)
      expect(loaded.code).toBe(2)
      expect(loaded.text).toMatch(/^(?:ringlet: [^\n]+\n){1,11}$/)
      expect(loaded.text).not.toMatch(/[^\P{Cc}\n]/u)
    }),
    { numRuns: 300 },
  )
})
