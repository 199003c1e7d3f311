import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { type RunningServer, runCommand, startServer } from '../support/server.ts'

const HANDLER = 'export default () => Response.json({ ok: true })\n'
const files = { 'handler.ts': HANDLER }

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '')
}

async function answerOf(server: RunningServer, path = '/'): Promise<{ status: number; body: unknown }> {
  const response = await fetch(server.url + path)
  return { status: response.status, body: await response.json() }
}

describe('starting', () => {
  test('the listening line gives host, port and url', async () => {
    await using server = await startServer({ args: ['handler.ts'], handlerFiles: files })
    const line = await server.waitForLog(({ msg }) => msg === 'listening')
    expect(line).toMatchObject({
      host: '127.0.0.1',
      port: server.port,
      url: `http://127.0.0.1:${server.port}`,
    })
    expect(server.port).toBeGreaterThan(0)
    expect(await answerOf(server)).toEqual({ status: 200, body: { ok: true } })
  })

  test('every log line is one JSON object', async () => {
    await using server = await startServer({
      args: ['--access-log', 'on', 'handler.ts'],
      handlerFiles: files,
    })
    await answerOf(server)
    await server.stop()
    expect(server.logs().length).toBeGreaterThan(1)
    expect(server.logs().filter((line) => 'raw' in line)).toEqual([])
  })

  test('access lines tell method, path and status', async () => {
    await using server = await startServer({
      args: ['--access-log', 'on', 'handler.ts'],
      handlerFiles: files,
    })
    await answerOf(server, '/seen?by=log')
    const line = await server.waitForLog((entry) => JSON.stringify(entry).includes('/seen'))
    expect(line).toMatchObject({ method: 'GET', status: 200 })
  })

  test('no access lines unless asked for', async () => {
    await using server = await startServer({ args: ['handler.ts'], handlerFiles: files })
    await answerOf(server, '/unseen')
    await server.stop()
    expect(server.logs().filter((entry) => JSON.stringify(entry).includes('/unseen'))).toEqual([])
  })

  test('flags win over the environment, the environment over the file', async () => {
    const options = { handlerFiles: files, config: { isolation: 'bounded', log: { access: 'on' } } }
    const print = async (args: string[], env: Record<string, string>) => {
      const run = await runCommand({ ...options, args: [...args, '--print-config', 'handler.ts'], env })
      expect(run.code).toBe(0)
      return JSON.parse(run.stdout) as { isolation: string; log: { access: string } }
    }
    expect(await print([], {})).toMatchObject({ isolation: 'bounded', log: { access: 'on' } })
    expect(await print([], { RINGLET_ISOLATION: 'request' })).toMatchObject({ isolation: 'request' })
    expect(await print(['--isolation', 'reuse'], { RINGLET_ISOLATION: 'request' })).toMatchObject({
      isolation: 'reuse',
    })
  })
})

describe('not starting', () => {
  test('a port that others may share', async () => {
    const config = {
      acceptor: { reusePort: 'on' },
      functions: [{ name: 'a', file: 'handler.ts', routes: ['/'] }],
    }
    const [major, minor] = process.versions.node.split('.').map(Number) as [number, number]
    if (major < 23 || (major === 23 && minor < 1)) {
      const { code, stderr } = await runCommand({ config, handlerFiles: files })
      expect(code).toBe(2)
      expect(lines(stderr)).toEqual([
        `ringlet: acceptor.reusePort is "on", which needs Node.js 23.1 or newer: this is ${process.version}`,
      ])
      return
    }
    await using first = await startServer({ config, handlerFiles: files })
    const args = ['--port', String(first.port)]
    await using second = await startServer({ config, args, handlerFiles: files })
    expect(second.port).toBe(first.port)
    await first.stop()
    expect(await answerOf(second)).toEqual({ status: 200, body: { ok: true } })
  })

  test('a port in use: one line, exit 1', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    try {
      const run = await runCommand({ args: ['--port', String(port), 'handler.ts'], handlerFiles: files })
      expect(run).toMatchObject({ code: 1, signal: null })
      expect(lines(run.stderr)).toHaveLength(1)
      expect(run.stderr).toContain(String(port))
    } finally {
      await new Promise((resolve) => other.close(resolve))
    }
  })

  test('a handler that does not compile: one line with its place, exit 1', async () => {
    const broken = { 'broken.ts': 'export default {\n  fetch() {\n    return new Response(]\n  },\n}\n' }
    const run = await runCommand({ args: ['broken.ts'], handlerFiles: broken })
    expect(run).toMatchObject({ code: 1, signal: null })
    expect(lines(run.stderr)).toHaveLength(1)
    expect(run.stderr).toContain('broken.ts:3')
  })

  test('a call that is refused at the top level is told at its place in the source', async () => {
    const early = { 'early.ts': '// one\n\nsetTimeout(() => {}, 1)\nexport default () => new Response()\n' }
    const run = await runCommand({ args: ['early.ts'], handlerFiles: early })
    expect(run.code).toBe(1)
    expect(run.stderr).toMatch(
      /^ringlet: function early: .*setTimeout cannot be used in top-level code.* \(at .*early\.ts:3:1\)\)\n$/,
    )
  })

  test.each([
    [
      'for (;;) Math.sqrt(2)',
      /^ringlet: function early: .*\blimits\.initMs is 100 \(at .*early\.ts:2:\d+\)\)\n$/,
    ],
    [
      'const all = []\nfor (;;) all.push(new Uint8Array(1e6))',
      /\blimits\.memoryBytes is 67108864 \(at .*early\.ts:3:\d+\)\)\n$/,
    ],
    [
      'await null',
      /^ringlet: function early: cannot build early\.ts:2:1: await does not exist in top-level code\b.*\n$/,
    ],
  ])(
    'top-level code that does not end, or cannot (%j): one line with the key and the place, exit 1',
    async (code, line) => {
      const early = { 'early.ts': `// one\n${code}\nexport default () => new Response()\n` }
      const run = await runCommand({
        args: ['early.ts'],
        env: { RINGLET_LIMITS_INIT_MS: '100' },
        handlerFiles: early,
      })
      expect(run.code).toBe(1)
      expect(run.stderr).toMatch(line)
    },
  )

  test('a handler whose import is missing: one line that names it, exit 1', async () => {
    const lost = { 'lost.ts': "import { x } from './nowhere.ts'\nexport default () => new Response(x)\n" }
    const run = await runCommand({ args: ['lost.ts'], handlerFiles: lost })
    expect(run).toMatchObject({ code: 1, signal: null })
    expect(lines(run.stderr)).toHaveLength(1)
    expect(run.stderr).toContain('nowhere.ts')
  })

  test('a handler that throws while it loads: one line with the reason, exit 1', async () => {
    const run = await runCommand({
      args: ['loads.ts'],
      handlerFiles: { 'loads.ts': "throw new Error('not today')\nexport default () => new Response()\n" },
    })
    expect(run).toMatchObject({ code: 1, signal: null })
    expect(lines(run.stderr)).toHaveLength(1)
    expect(run.stderr).toContain('not today')
  })

  test('a module without a handler: one line, exit 1', async () => {
    const run = await runCommand({ args: ['empty.ts'], handlerFiles: { 'empty.ts': 'export const a = 1\n' } })
    expect(run).toMatchObject({ code: 1, signal: null })
    expect(lines(run.stderr)).toHaveLength(1)
    expect(run.stderr).toMatch(/empty.*no handler/)
  })

  test('a handler file that is not there: one line that names it, not exit 0', async () => {
    const run = await runCommand({ args: ['absent.ts'] })
    expect([1, 2]).toContain(run.code)
    expect(lines(run.stderr)).toHaveLength(1)
    expect(run.stderr).toContain('absent.ts')
  })

  const wrongFlags: Array<[name: string, args: string[], named: string]> = [
    ['an unknown flag', ['--prot', '1', 'handler.ts'], '--prot'],
    ['cores of zero', ['--cores', '0', 'handler.ts'], 'cores'],
    ['cores that are no number', ['--cores', 'two', 'handler.ts'], 'two'],
    ['a port beyond 65535', ['--port', '65536', 'handler.ts'], '65536'],
    ['an isolation that is none', ['--isolation', 'none', 'handler.ts'], 'isolation'],
    ['a log level that is none', ['--log-level', 'loud', 'handler.ts'], 'loud'],
    ['an access log that is none', ['--access-log', 'maybe', 'handler.ts'], 'maybe'],
    ['a config file that is not there', ['--config', 'absent.json', 'handler.ts'], 'absent.json'],
  ]
  test.each(wrongFlags)('%s: one line that names it, exit 2', async (_name, args, named) => {
    const run = await runCommand({ args, handlerFiles: files })
    expect(run).toMatchObject({ code: 2, signal: null })
    expect(lines(run.stderr)).toHaveLength(1)
    expect(run.stderr).toContain(named)
    expect(run.stdout).not.toContain('listening')
  })

  const wrongConfigs: Array<[name: string, config: object, named: string[]]> = [
    ['an unknown key', { limits: { bodyByte: 1 } }, ['limits.bodyByte']],
    ['an unknown section', { limit: {} }, ['limit']],
    ['a wrong type', { limits: { cpuMs: 'fast' } }, ['limits.cpuMs', 'fast']],
    ['a bound exceeded', { limits: { cpuMs: 60_001 } }, ['limits.cpuMs', '60001', '60000']],
    ['a fraction where a whole number is due', { timeouts: { headMs: 10.5 } }, ['timeouts.headMs', '10.5']],
    ['a ring that is no power of two', { ring: { requestBytes: 100_000 } }, ['ring.requestBytes', '100000']],
    ['watermarks the wrong way round', { ring: { highWatermark: 0.2, lowWatermark: 0.8 } }, ['atermark']],
  ]
  test.each(wrongConfigs)('%s: one line that names it, exit 2', async (_name, config, named) => {
    const run = await runCommand({ args: ['handler.ts'], handlerFiles: files, config })
    expect(run).toMatchObject({ code: 2, signal: null })
    expect(lines(run.stderr)).toHaveLength(1)
    for (const text of named) expect(run.stderr).toContain(text)
  })

  test('several problems: one line each, exit 2', async () => {
    const config = { limits: { cpuMs: 0, nothing: 1 }, timeouts: { idleMs: 'long' } }
    const run = await runCommand({ args: ['handler.ts'], handlerFiles: files, config })
    expect(run).toMatchObject({ code: 2, signal: null })
    expect(lines(run.stderr)).toHaveLength(3)
    for (const text of ['limits.cpuMs', 'limits.nothing', 'timeouts.idleMs'])
      expect(run.stderr).toContain(text)
  })

  test('a config file that is no JSON: one line that names it, exit 2', async () => {
    const handlerFiles = { ...files, 'broken.json': '{ "cores": 1,\n' }
    const run = await runCommand({ args: ['--config', 'broken.json', 'handler.ts'], handlerFiles })
    expect(run).toMatchObject({ code: 2, signal: null })
    expect(lines(run.stderr)).toHaveLength(1)
    expect(run.stderr).toContain('broken.json')
  })

  test('a wrong environment variable: one line that names it, exit 2', async () => {
    const run = await runCommand({
      args: ['handler.ts'],
      handlerFiles: files,
      env: { RINGLET_LIMITS_CPU_MS: 'fast' },
    })
    expect(run).toMatchObject({ code: 2, signal: null })
    expect(lines(run.stderr)).toHaveLength(1)
    expect(run.stderr).toContain('RINGLET_LIMITS_CPU_MS')
  })
})
