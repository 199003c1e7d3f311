import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { Agent, get as httpGet, request as httpRequest, type IncomingMessage } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Client, Pool } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { digestOf, ECHO_HANDLER, type Echo } from '../support/echo.ts'
import { type RunningServer, startServer } from '../support/server.ts'

const run = promisify(execFile)
const require = createRequire(import.meta.url)
const BODY = Buffer.alloc(300_000, 'The quick brown ring. ')

let server: RunningServer

beforeAll(async () => {
  server = await startServer({
    args: ['--cores', '2', 'handler.ts'],
    handlerFiles: { 'handler.ts': ECHO_HANDLER },
    config: { limits: { cpuMs: 5_000 } },
  })
  await writeFile(join(server.folder, 'body.bin'), BODY)
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

function expectBody(echo: Echo): void {
  expect([echo.bodyBytes, echo.digest]).toEqual([BODY.length, digestOf(BODY)])
}

describe('curl', () => {
  async function curl(...args: string[]): Promise<{ stdout: string; stderr: string }> {
    try {
      return await run('curl', ['--silent', '--show-error', '--max-time', '20', ...args], {
        cwd: server.folder,
      })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      throw new Error('these tests need curl (apt-get install curl)', { cause: error })
    }
  }

  test('GET', async () => {
    const { stdout } = await curl(`${server.url}/path?a=1`, '-H', 'X-From: curl')
    const echo = JSON.parse(stdout) as Echo
    expect(echo).toMatchObject({
      method: 'GET',
      url: `${server.url}/path?a=1`,
      headers: { 'x-from': 'curl' },
    })
  })

  test('HEAD', async () => {
    const { stdout } = await curl('--head', server.url)
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(stdout).toMatch(/^content-length: [1-9]/im)
  })

  test('a body by length, with 100-continue', async () => {
    const { stdout, stderr } = await curl(
      '--verbose',
      '-H',
      'Expect: 100-continue',
      '--data-binary',
      '@body.bin',
      server.url,
    )
    expectBody(JSON.parse(stdout) as Echo)
    expect(stderr).toContain('< HTTP/1.1 100 Continue')
  })

  test('a chunked body', async () => {
    const { stdout } = await curl(
      '-H',
      'Transfer-Encoding: chunked',
      '--data-binary',
      '@body.bin',
      server.url,
    )
    const echo = JSON.parse(stdout) as Echo
    expectBody(echo)
    expect(echo.headers['transfer-encoding']).not.toBe('identity')
  })

  test('HTTP/1.0', async () => {
    const { stdout } = await curl('--http1.0', '--include', server.url)
    expect(stdout).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(stdout).toMatch(/^connection: close\r$/im)
  })

  test('several requests on one connection', async () => {
    const urls = Array.from({ length: 5 }, (_, at) => `${server.url}/${at}`)
    const { stdout } = await curl('--write-out', '\n%{num_connects}\n', ...urls)
    const connects = stdout.split('\n').filter((line) => /^[0-9]+$/.test(line))
    expect(connects).toEqual(['1', '0', '0', '0', '0'])
  })
})

describe('fetch', () => {
  test('many at once, with bodies', async () => {
    const all = await Promise.all(
      Array.from({ length: 30 }, async (_, at) => {
        const response = await fetch(`${server.url}/${at}`, { method: 'POST', body: BODY })
        return (await response.json()) as Echo
      }),
    )
    for (const [at, echo] of all.entries()) {
      expect(echo.url).toBe(`${server.url}/${at}`)
      expectBody(echo)
    }
  })

  test('a body that is streamed', async () => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < BODY.length; at += 10_000) controller.enqueue(BODY.subarray(at, at + 10_000))
        controller.close()
      },
    })
    const response = await fetch(server.url, { method: 'POST', body, duplex: 'half' } as RequestInit)
    expectBody((await response.json()) as Echo)
  })
})

describe('undici', () => {
  test('pipelining', async () => {
    const client = new Client(server.url, { pipelining: 10 })
    try {
      const answers = await Promise.all(
        Array.from({ length: 100 }, async (_, at) => {
          const { statusCode, body } = await client.request({ path: `/${at}`, method: 'GET' })
          return { statusCode, url: ((await body.json()) as Echo).url }
        }),
      )
      expect(answers).toEqual(
        Array.from({ length: 100 }, (_, at) => ({ statusCode: 200, url: `${server.url}/${at}` })),
      )
    } finally {
      await client.close()
    }
  })

  test('a pool of connections, with and without bodies', async () => {
    const pool = new Pool(server.url, { connections: 8, pipelining: 1 })
    try {
      const all = await Promise.all(
        Array.from({ length: 60 }, async (_, at) => {
          const body = at % 2 === 0 ? null : BODY.subarray(0, at * 100)
          const answer = await pool.request({ path: `/${at}`, method: 'PUT', body })
          return (await answer.body.json()) as Echo
        }),
      )
      expect(all.map(({ bodyBytes }) => bodyBytes)).toEqual(
        Array.from({ length: 60 }, (_, at) => (at % 2 === 0 ? 0 : at * 100)),
      )
    } finally {
      await pool.close()
    }
  })
})

describe('node:http', () => {
  async function textOf(message: IncomingMessage): Promise<string> {
    const parts: Buffer[] = []
    for await (const part of message) parts.push(part as Buffer)
    return Buffer.concat(parts).toString()
  }

  test('an agent with keep-alive uses one connection', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ports = new Set<number | undefined>()
    try {
      for (let at = 0; at < 10; at++) {
        const message = await new Promise<IncomingMessage>((resolve, reject) => {
          httpGet(`${server.url}/${at}`, { agent }, resolve).on('error', reject)
        })
        ports.add(message.socket.localPort)
        expect((JSON.parse(await textOf(message)) as Echo).url).toBe(`${server.url}/${at}`)
      }
    } finally {
      agent.destroy()
    }
    expect(ports.size).toBe(1)
  })

  test('100-continue', async () => {
    const echo = await new Promise<string>((resolve, reject) => {
      const request = httpRequest(server.url, {
        method: 'POST',
        headers: { expect: '100-continue', 'content-length': BODY.length },
      })
      request.on('continue', () => request.end(BODY))
      request.on('response', (message) => resolve(textOf(message)))
      request.on('error', reject)
      request.flushHeaders()
    })
    expectBody(JSON.parse(echo) as Echo)
  })
})

describe('autocannon', () => {
  const cli = require.resolve('autocannon/autocannon.js')

  test.each([1, 8])('5,000 requests, %i at a time on each connection', async (pipelining) => {
    const args = ['--json', '--no-progress', '--amount', '5000', '--connections', '16']
    const { stdout } = await run(process.execPath, [
      cli,
      ...args,
      '--pipelining',
      String(pipelining),
      server.url,
    ])
    const result = JSON.parse(stdout) as Record<string, number>
    expect(result).toMatchObject({ non2xx: 0, errors: 0, timeouts: 0, resets: 0 })
    // With its amount reached, autocannon no longer counts what is still in its pipelines.
    expect(result['2xx']).toBeGreaterThan(5000 - 16 * pipelining)
  })
})
