import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accessLogger, createLogger, LogOutput } from '../../src/log.ts'

const folder = mkdtempSync(join(tmpdir(), 'ringlet-log-'))
const script = join(folder, 'child.mjs')

beforeAll(() =>
  build({
    entryPoints: [fileURLToPath(new URL('log-child.ts', import.meta.url))],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    logLevel: 'warning',
    // pino is CommonJS and requires Node's modules.
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    },
  }),
)
afterAll(() => rmSync(folder, { recursive: true }))

/** A log file, read back as records. */
async function inFile(use: (fd: number) => Promise<void> | void): Promise<Record<string, unknown>[]> {
  const path = join(folder, 'out.ndjson')
  const fd = openSync(path, 'w')
  try {
    await use(fd)
  } finally {
    closeSync(fd)
  }
  return records(readFileSync(path, 'utf8'))
}

const records = (text: string): Record<string, unknown>[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))

describe('lines', () => {
  it('are buffered until flush, or until an error', async () => {
    const path = join(folder, 'buffered.ndjson')
    const fd = openSync(path, 'w')
    const written = () => readFileSync(path, 'utf8').split('\n').length - 1
    const log = await createLogger({ level: 'info', name: 'main', fd })
    log.info('a')
    expect(written()).toBe(0)
    log.flush()
    expect(written()).toBe(1)
    log.warn('b')
    log.debug('below the level')
    expect(written()).toBe(1)
    log.child({ shard: 1 }).error(new Error('c'))
    expect(written()).toBe(3)
    log.info('d')
    expect(written()).toBe(3)
    for (let i = 0; i < 200; i++) log.info('e'.repeat(100))
    expect(written()).toBeGreaterThan(150)
    log.output.close()
    expect(written()).toBe(204)
    closeSync(fd)
  })

  it('are JSON with level, time and name, and without secrets', async () => {
    const secret = 'hunter2'
    const lines = await inFile(async (fd) => {
      const log = await createLogger({ level: 'info', name: 'main', fd })
      const functions = [{ name: 'a', env: { TOKEN: secret } }]
      log.info({ env: { TOKEN: secret }, functions, config: { functions } }, 'start')
      log.info({ headers: { authorization: secret, cookie: secret }, function: functions[0] }, 'request')
      log.flush()
    })
    expect(lines[0]).toMatchObject({ level: 30, time: expect.any(Number), name: 'main', msg: 'start' })
    expect(lines).toHaveLength(2)
    expect(JSON.stringify(lines)).not.toContain(secret)
  })

  it('that are too long are cut, and stay JSON', async () => {
    const lines = await inFile(async (fd) => {
      const log = await createLogger({ level: 'info', name: 'main', fd, lineBytes: 512 })
      log.info({ small: 1 }, 'ä"'.repeat(5000))
      log.info({ list: Array.from({ length: 1000 }, (_, i) => i) }, 'many')
      log.output.write(`${'not JSON'.repeat(1000)}\n`)
      log.flush()
    })
    expect(lines).toHaveLength(3)
    for (const line of lines) expect(Buffer.byteLength(JSON.stringify(line))).toBeLessThan(512)
    expect(lines[0]).toMatchObject({ small: 1, msg: expect.stringMatching(/^ä"ä".*…$/) })
    expect(lines[1]).toMatchObject({ level: 30, msg: 'a log line was too long' })
    expect(lines[2]).toMatchObject({ msg: expect.stringMatching(/^not JSON.*…$/) })
  })
})

describe('access lines', () => {
  const entry = {
    method: 'GET',
    target: '/a"b?token=hunter2',
    status: 200,
    bytes: 12,
    durationMicros: 345,
    function: null,
    requestId: 'r1',
  }
  const count = (access: 'off' | 'on' | 'sampled', answers: number): string[] => {
    const lines: string[] = []
    const logger = accessLogger(
      { log: { access, sampleEvery: 10, level: 'info', lineBytes: 8192 } },
      { write: (line) => lines.push(line) },
    )
    expect(logger.enabled).toBe(access !== 'off')
    for (let i = 0; i < answers; i++) if (logger.due()) logger.line(entry)
    return lines
  }

  it('are none, all, or every n-th from the first on', () => {
    expect(count('off', 25)).toHaveLength(0)
    expect(count('on', 25)).toHaveLength(25)
    expect(count('sampled', 25)).toHaveLength(3)
    expect(count('sampled', 1)).toHaveLength(1)
  })

  it('hold what was answered, without the query', () => {
    const { target, ...rest } = entry
    expect(target).toContain('?')
    expect(JSON.parse(count('on', 1)[0]!)).toEqual({
      level: 30,
      time: expect.any(Number),
      name: 'access',
      ...rest,
      path: '/a"b',
    })
  })
})

describe('an output that does not take lines', () => {
  it('is given up, and counted, when there is no such descriptor', () => {
    const fd = openSync(join(folder, 'closed'), 'w')
    const output = new LogOutput(fd)
    closeSync(fd)
    output.write('{"a":1}\n')
    output.write('{"a":2}\n')
    output.flush()
    expect(output.dropped).toBe(2)
    output.write('{"a":3}\n')
    expect(output.dropped).toBe(3)
  })

  const FLOOD = 6001
  const told = async (child: ChildProcess): Promise<{ what: string; dropped: number }> =>
    (await once(child, 'message'))[0]
  const ask = (child: ChildProcess, order: string) => {
    child.send(order)
    return told(child)
  }
  const start = async (stdout: 'pipe' | number) => {
    const child = spawn(process.execPath, [script], { stdio: ['ignore', stdout, 'inherit', 'ipc'] })
    if (typeof stdout === 'number') closeSync(stdout)
    expect(await told(child)).toEqual({ what: 'ready', dropped: 0 })
    return child
  }

  it('does not block when nobody reads, and says what was dropped once somebody does', async () => {
    const child = await start('pipe')
    const { dropped } = await ask(child, 'flood')
    expect(dropped).toBeGreaterThan(1000)
    expect(dropped).toBeLessThan(FLOOD)
    let text = ''
    child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
    })
    // What waits is larger than what the system takes at once: flushed in turns, as the reader reads.
    while (!text.includes('log lines dropped')) await ask(child, 'say')
    const exited = once(child, 'exit')
    child.send('end')
    expect(await exited).toEqual([0, null])
    const lines = records(text)
    const said = lines.filter(({ msg }) => msg === 'log lines dropped: the output was full')
    expect(said.map((line) => line['dropped'])).toEqual([dropped])
    expect(lines).toHaveLength(FLOOD - dropped + 1)
    expect(lines.some(({ msg }) => msg === 'an error')).toBe(true)
  })

  it('ends in bounded time when nobody ever reads', async () => {
    const child = await start('pipe')
    await ask(child, 'flood')
    const exited = once(child, 'exit')
    child.send('end')
    expect(await exited).toEqual([0, null])
    child.stdout!.destroy()
  })

  it('does not end the process when the reader has gone', async () => {
    const child = await start('pipe')
    child.stdout!.destroy()
    await once(child.stdout!, 'close')
    expect(await ask(child, 'flood')).toEqual({ what: 'flood', dropped: FLOOD })
    const exited = once(child, 'exit')
    child.send('end')
    expect(await exited).toEqual([0, null])
  })

  it.runIf(existsSync('/dev/full'))('does not end the process when the disk is full', async () => {
    const child = await start(openSync('/dev/full', 'w'))
    expect((await ask(child, 'flood')).dropped).toBeGreaterThan(1000)
    const exited = once(child, 'exit')
    child.send('end')
    expect(await exited).toEqual([0, null])
  })

  it('is a file in order otherwise', async () => {
    const path = join(folder, 'flood.ndjson')
    writeFileSync(path, '')
    const child = await start(openSync(path, 'a'))
    expect((await ask(child, 'flood')).dropped).toBe(0)
    const exited = once(child, 'exit')
    child.send('end')
    await exited
    const lines = records(readFileSync(path, 'utf8'))
    expect(lines).toHaveLength(FLOOD)
    expect(lines.flatMap(({ i }) => (typeof i === 'number' ? [i] : []))).toEqual(
      Array.from({ length: 3000 }, (_, i) => i),
    )
  })
})
