import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type LogLine, type RunningServer, startServer } from '../support/server.ts'

/** Every form a handler may have, as files that one configuration serves side by side. */
const FORMS: ReadonlyArray<readonly [file: string, source: string, answer: unknown]> = [
  [
    'object.ts',
    `export default { fetch(request: Request): Response { return Response.json({ form: 'object' }) } }`,
    { form: 'object' },
  ],
  [
    'async-object.ts',
    `export default { async fetch() { await Promise.resolve(); return Response.json({ form: 'async' }) } }`,
    { form: 'async' },
  ],
  [
    'this.ts',
    `export default { form: 'this', fetch() { return Response.json({ form: this.form }) } }`,
    { form: 'this' },
  ],
  [
    'function.js',
    `export default function (request) { return Response.json({ form: 'default function' }) }`,
    { form: 'default function' },
  ],
  ['arrow.js', `export default async () => Response.json({ form: 'arrow' })`, { form: 'arrow' }],
  [
    'exported.js',
    `export function handler(request) { return Response.json({ form: 'exported' }) }`,
    { form: 'exported' },
  ],
  ['plain.js', `function handler(request) { return Response.json({ form: 'plain' }) }`, { form: 'plain' }],
  [
    'timer.ts',
    `const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
     export default async () => { await later(20); return Response.json({ form: 'timer' }) }`,
    { form: 'timer' },
  ],
  [
    'element.tsx',
    `/** @jsxRuntime classic */
     /** @jsx h */
     const h = (tag: string, props: object | null, ...children: string[]) => ({ tag, props, children })
     export default () => Response.json(<p class="a">text</p>)`,
    { tag: 'p', props: { class: 'a' }, children: ['text'] },
  ],
  [
    'package.ts',
    `import greet, { language } from 'a-greeter'
     export default () => Response.json({ greeting: greet('ring'), language })`,
    { greeting: 'Hello, ring', language: 'en' },
  ],
  [
    'relative.ts',
    `import { double } from './lib/double.ts'
     export default () => Response.json({ double: double(21) })`,
    { double: 42 },
  ],
  [
    'data.ts',
    `import data from './lib/data.json'
     export default () => Response.json(data)`,
    { from: 'a file' },
  ],
  [
    'using.ts',
    `const ended: string[] = []
     const resource = (name: string) => ({ [Symbol.dispose]() { ended.push(name) }, async [Symbol.asyncDispose]() { ended.push('async ' + name) } })
     const work = async () => { using a = resource('a'); await using b = resource('b'); ended.push('work') }
     export default async () => { await work(); return Response.json(ended.splice(0)) }`,
    ['work', 'async b', 'a'],
  ],
  [
    'context.ts',
    `export default { fetch(request: Request, env: Record<string, string>, ctx: { waitUntil(p: Promise<unknown>): void }) {
       ctx.waitUntil(Promise.resolve())
       return Response.json({ env, waits: typeof ctx.waitUntil })
     } }`,
    { env: {}, waits: 'function' },
  ],
]

const LIBRARY = {
  'lib/double.ts': 'export const double = (n: number): number => n * 2\n',
  'lib/data.json': '{ "from": "a file" }\n',
  'node_modules/a-greeter/package.json': JSON.stringify({
    name: 'a-greeter',
    type: 'module',
    exports: './index.js',
  }),
  'node_modules/a-greeter/index.js': `export const language = 'en'\nexport default (name) => 'Hello, ' + name\n`,
}

/** Line numbers matter here: the log must name them. */
const FAILING = `const helper = (kind: string): never => {
  throw new TypeError('thrown by ' + kind)
}
export default {
  async fetch(request: Request): Promise<Response> {
    const kind = new URL(request.url).searchParams.get('kind')
    if (kind === 'sync') helper('sync')
    if (kind === 'late') {
      await new Promise((resolve) => setTimeout(resolve, 5))
      helper('late')
    }
    if (kind === 'text') throw 'thrown text'
    if (kind === 'null') throw null
    if (kind === 'undefined') throw undefined
    if (kind === 'trap') throw { get message() { throw new Error('no message') }, get stack() { throw 1 } }
    if (kind === 'rejected') return Promise.reject(new RangeError('thrown by rejected'))
    if (kind === 'nothing') return undefined as never
    if (kind === 'number') return 7 as never
    return Response.json({ ok: true })
  },
}
`

/** What is caught, or thrown where nobody waits for it, is told in the log as text. */
const TOLD = `interface Context { waitUntil(work: Promise<unknown>): void }
const fail = (kind: string): never => {
  throw new RangeError('told by ' + kind)
}
try { fail('top level') } catch (error) { console.warn('caught', error) }
export default {
  async fetch(request: Request, env: unknown, ctx: Context): Promise<Response> {
    const kind = new URL(request.url).searchParams.get('kind') ?? ''
    if (kind === 'console') { try { fail(kind) } catch (error) { console.error(error) } }
    if (kind === 'waitUntil') ctx.waitUntil(Promise.resolve().then(() => fail(kind)))
    if (kind === 'timer') ctx.waitUntil(new Promise((resolve) => { setTimeout(resolve, 5); setTimeout(fail, 1, kind) }))
    if (kind === 'reportError') { try { fail(kind) } catch (error) { reportError(error) } }
    return new Response('told')
  },
}
`

let server: RunningServer

beforeAll(async () => {
  const functions = [
    ...FORMS.map(([file]) => ({ name: file.replace('.', '-'), file, routes: [`/${file}`] })),
    { name: 'failing', file: 'failing.ts', routes: ['/failing'] },
    { name: 'sync-failing', file: 'sync-failing.js', routes: ['/sync-failing'] },
    { name: 'answers', file: 'answers.ts', routes: ['/answers'] },
    { name: 'told', file: 'told.ts', routes: ['/told'] },
  ]
  server = await startServer({
    config: { functions },
    handlerFiles: {
      ...Object.fromEntries(FORMS.map(([file, source]) => [file, source])),
      ...LIBRARY,
      'failing.ts': FAILING,
      'sync-failing.js': "export default () => {\n  throw new Error('thrown at once')\n}\n",
      'answers.ts': ANSWERS,
      'told.ts': TOLD,
    },
  })
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

const ANSWERS = `export default async (request: Request): Promise<Response> => {
  switch (new URL(request.url).searchParams.get('kind')) {
    case 'text': return Response.text('plain')
    case 'html': return Response.html('<p>é</p>')
    case 'json': return Response.json({ a: [1] }, { status: 201, headers: { 'x-a': 'b' } })
    case 'empty': return new Response(null, { status: 204 })
    case 'bytes': return new Response(new Uint8Array([0, 1, 254, 255]))
    case 'utf8': return new Response('naïve ☃ 𝒳')
    case 'nul': return new Response('a\\0b')
    case 'cookies': {
      const headers = new Headers()
      headers.append('set-cookie', 'a=1')
      headers.append('set-cookie', 'b=2')
      return new Response('', { headers })
    }
    case 'read': return Response.json({ text: await request.text() })
    case 'parse': return Response.json({ value: (await request.json()).value })
    case 'log': console.log('said by the handler', { deep: { list: [1, 2] } }); return new Response('logged')
    default: return new Response('what?', { status: 404 })
  }
}
`

function isError(line: LogLine): boolean {
  return line['level'] === 50 || line['level'] === 'error'
}

function errorLine(text: string): Promise<LogLine> {
  return server.waitForLog((line) => isError(line) && JSON.stringify(line).includes(text))
}

describe('forms of a handler', () => {
  test.each(FORMS)('%s', async (file, _source, answer) => {
    const response = await fetch(`${server.url}/${file}`)
    expect(response.headers.get('content-type')).toMatch(/^application\/json\b/)
    expect(await response.json()).toEqual(answer)
    expect(response.status).toBe(200)
  })

  test('-e', async () => {
    const code = "export default () => Response.json({ from: 'the command line' })"
    await using inline = await startServer({ args: ['-e', code] })
    expect(await (await fetch(inline.url)).json()).toEqual({ from: 'the command line' })
  })

  test('-e with a plain function', async () => {
    const code = 'function handler(request) { return Response.text(request.method) }'
    await using inline = await startServer({ args: ['-e', code] })
    expect(await (await fetch(inline.url, { method: 'PUT', body: 'x' })).text()).toBe('PUT')
  })

  test('a file named on the command line serves every path', async () => {
    await using one = await startServer({
      args: ['one.ts'],
      handlerFiles: {
        'one.ts': 'export default (request: Request) => Response.text(new URL(request.url).pathname)',
      },
    })
    for (const path of ['/', '/a', '/a/b/c']) expect(await (await fetch(one.url + path)).text()).toBe(path)
  })
})

describe('answers', () => {
  const get = (kind: string, init?: RequestInit) => fetch(`${server.url}/answers?kind=${kind}`, init)

  test('Response.text, html and json', async () => {
    const text = await get('text')
    expect([text.headers.get('content-type'), await text.text()]).toEqual([
      expect.stringMatching(/^text\/plain\b/),
      'plain',
    ])
    const html = await get('html')
    expect([html.headers.get('content-type'), await html.text()]).toEqual([
      expect.stringMatching(/^text\/html\b/),
      '<p>é</p>',
    ])
    const json = await get('json')
    expect([json.status, json.headers.get('x-a'), await json.json()]).toEqual([201, 'b', { a: [1] }])
  })

  test('204 has neither body nor length', async () => {
    const response = await get('empty')
    expect(response.status).toBe(204)
    expect(response.headers.get('content-length')).toBeNull()
    expect(await response.text()).toBe('')
  })

  test('bytes, UTF-8 and NUL come out as they went in', async () => {
    expect([...new Uint8Array(await (await get('bytes')).arrayBuffer())]).toEqual([0, 1, 254, 255])
    expect(await (await get('utf8')).text()).toBe('naïve ☃ 𝒳')
    expect(await (await get('nul')).text()).toBe('a\0b')
  })

  test('cookies stay apart', async () => {
    expect((await get('cookies')).headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  })

  test('the body of a request, as text and as JSON', async () => {
    const text = 'naïve ☃ 𝒳 \0'
    expect(await (await get('read', { method: 'POST', body: text })).json()).toEqual({ text })
    const body = JSON.stringify({ value: { list: [1, 'zwei', null] } })
    expect(await (await get('parse', { method: 'POST', body })).json()).toEqual(JSON.parse(body))
  })

  test('what a handler says goes to the log', async () => {
    expect(await (await get('log')).text()).toBe('logged')
    const line = await server.waitForLog((entry) => JSON.stringify(entry).includes('said by the handler'))
    expect(line['raw']).toBeUndefined()
    expect(JSON.stringify(line)).toContain('answers')
  })
})

describe('a handler that fails', () => {
  const KINDS: ReadonlyArray<readonly [kind: string, logged: readonly string[]]> = [
    ['sync', ['TypeError', 'thrown by sync', 'failing.ts:2', 'failing.ts:7']],
    ['late', ['TypeError', 'thrown by late', 'failing.ts:2', 'failing.ts:10']],
    ['rejected', ['RangeError', 'thrown by rejected', 'failing.ts:16']],
    ['text', ['thrown text']],
    ['null', ['null']],
    ['undefined', ['undefined']],
  ]

  async function failure(path: string): Promise<{ error: string; status: number; message: string }> {
    const response = await fetch(server.url + path)
    expect(response.status).toBe(500)
    return (await response.json()) as { error: string; status: number; message: string }
  }

  async function expectUnharmed(): Promise<void> {
    const next = await fetch(`${server.url}/failing`)
    expect([next.status, await next.json()]).toEqual([200, { ok: true }])
  }

  test.each(KINDS)(
    'throws (%s): 500, a log line with the place, the next request unharmed',
    async (kind, logged) => {
      const body = await failure(`/failing?kind=${kind}`)
      expect(body).toMatchObject({ error: 'handler-failed', status: 500 })
      expect(JSON.stringify(body), 'nothing of the inside reaches the client').not.toContain('thrown')
      const line = JSON.stringify(
        await errorLine(logged.find((text) => text.includes('thrown')) ?? logged[0]!),
      )
      for (const text of logged) expect(line).toContain(text)
      await expectUnharmed()
    },
  )

  test('throws without being async', async () => {
    expect(await failure('/sync-failing')).toMatchObject({ error: 'handler-failed', status: 500 })
    expect(JSON.stringify(await errorLine('thrown at once'))).toContain('sync-failing.js:2')
  })

  test('throws what cannot be looked at', async () => {
    expect(await failure('/failing?kind=trap')).toMatchObject({ error: 'handler-failed', status: 500 })
    await errorLine('what was thrown tells neither a message nor a stack')
    await expectUnharmed()
  })

  test.each(['nothing', 'number'])('returns %s instead of a Response', async (kind) => {
    expect(await failure(`/failing?kind=${kind}`)).toMatchObject({
      error: expect.stringMatching(/^(bad-response|handler-failed)$/),
      status: 500,
    })
    await expectUnharmed()
  })
})

describe('an error that is told in the log as text has its places in the source', () => {
  test.each(['console', 'waitUntil', 'timer', 'reportError'])('%s', async (kind) => {
    expect(await (await fetch(`${server.url}/told?kind=${kind}`)).text()).toBe('told')
    const { msg } = await errorLine(`told by ${kind}`)
    expect(msg).toMatch(/RangeError: told by \w+\n {4}at fail \(told\.ts:3:\d+\)\n/)
  })

  test('top-level code', async () => {
    const { msg } = await server.waitForLog((line) => String(line['msg']).includes('told by top level'))
    expect(msg).toMatch(/\n {4}at fail \(told\.ts:3:\d+\)\n {4}at <anonymous> \(told\.ts:5:\d+\)/)
  })
})
