// Programs of the npm registry, unchanged, behind handlers as their manuals show them: the same requests to Ringlet and to the same
// file in Node.js, and the same answers.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type RunningServer, startServer } from '../support/server.ts'
import { APPS, type AppRequest } from './requests.ts'

const fixtures = fileURLToPath(new URL('./fixtures', import.meta.url))

type Fetch = (request: Request, env: object, context: object) => Response | Promise<Response>
type Handler = Fetch | { fetch: Fetch }

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringlet-apps-'))
  process.env['TZ'] = 'UTC'
})
afterAll(async () => {
  await rm(folder, { recursive: true })
})

/** The fixture in Node.js, bundled as for Node.js: there too a package must not come twice, as a CommonJS and as an ES module. */
async function inNode(file: string): Promise<Fetch> {
  const { outputFiles } = await build({
    entryPoints: [join(fixtures, file)],
    bundle: true,
    format: 'esm',
    platform: 'node',
    jsx: 'automatic',
    write: false,
    logLevel: 'silent',
  })
  const path = join(folder, `${file}.mjs`)
  await writeFile(path, outputFiles[0]!.contents)
  const module = (await import(pathToFileURL(path).href)) as { default: Handler }
  const handler = module.default
  return typeof handler === 'function' ? handler : (...args) => handler.fetch(...args)
}

/** Those of the connection, and the date, are the server's. */
const OF_THE_SERVER = new Set(['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'])

interface Answer {
  readonly status: number
  readonly fields: Record<string, string>
  readonly cookies: readonly string[]
  readonly body: string
}

async function answerOf(response: Response): Promise<Answer> {
  const fields: Record<string, string> = {}
  for (const [name, value] of response.headers) {
    if (!OF_THE_SERVER.has(name) && name !== 'set-cookie') fields[name] = value
  }
  return {
    status: response.status,
    fields,
    cookies: response.headers.getSetCookie(),
    body: await response.text(),
  }
}

const init = ({ method = 'GET', body, headers = {} }: AppRequest): RequestInit => ({
  method,
  headers,
  redirect: 'manual',
  ...(body !== undefined && { body }),
})

describe.each(Object.entries(APPS))('%s', (file, requests) => {
  let server: RunningServer
  let fetchInNode: Fetch
  beforeAll(async () => {
    server = await startServer({
      args: [join(fixtures, file)],
      env: { TZ: 'UTC' },
      config: { limits: { cpuMs: 2_000, initMs: 10_000 } },
    })
    fetchInNode = await inNode(file)
  })
  afterAll(async () => {
    await server?.[Symbol.asyncDispose]()
  })

  test.each(requests.map((request) => [request.method ?? 'GET', request.path, request] as const))(
    '%s %s',
    async (_method, path, request) => {
      const url = server.url + path
      const answer = await answerOf(await fetch(url, init(request)))
      const context = { waitUntil() {}, passThroughOnException() {} }
      const expected = await answerOf(await fetchInNode(new Request(url, init(request)), {}, context))
      expect([answer.status, answer.body]).toEqual([
        request.status ?? 200,
        typeof request.answer === 'string'
          ? expect.stringContaining(request.answer)
          : expect.stringMatching(request.answer),
      ])
      expect(answer).toEqual(expected)
    },
  )
})

test('what the top level has a framework build is there for each request, also of a runtime that is reset', async () => {
  await using server = await startServer({
    args: [join(fixtures, 'hono-warmed.ts')],
    config: { isolation: 'request' },
  })
  for (const id of ['7', '8']) {
    const answer = await (await fetch(`${server.url}/users/${id}`)).json()
    expect(answer).toEqual({ router: 'SmartRouter + RegExpRouter', answer: { id } })
  }
})
