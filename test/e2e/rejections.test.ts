// Rejected promises that nobody handles, through the whole server: the log's line of them, and whose request it names.

import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LogLine, type RunningServer, startServer } from '../support/server.ts'

/** Line numbers matter here: the log must name them. */
const REJECTING = `import { AsyncLocalStorage } from 'node:async_hooks'
const storage = new AsyncLocalStorage()
const fail = async (message: string) => {
  throw new RangeError(message)
}
let seen: string[] = []
addEventListener('unhandledrejection', (event) => {
  seen.push(String(event.reason))
  if (String(event.reason).includes('cancelled')) event.preventDefault()
})
const later = () => new Promise((resolve) => setTimeout(resolve, 5))
export default {
  async fetch(request: Request, env: unknown, ctx: { waitUntil(p: Promise<unknown>): void }) {
    const { pathname } = new URL(request.url)
    const name = pathname.slice(pathname.lastIndexOf('/') + 1)
    console.log('serves ' + name)
    return storage.run(name, async () => {
      if (pathname.includes('/caught/')) try { await later(); await fail(name) } catch {}
      if (pathname.includes('/after/')) await later()
      if (pathname.includes('/wait/')) ctx.waitUntil(later().then(() => { fail(name) }))
      else if (pathname.includes('/flood/')) {
        for (let i = 0; i < 100; i++) fail(name)
        await later()
        fail(name)
      } else if (!pathname.includes('/caught/')) fail(name)
      return new Response(storage.getStore() + ' ' + seen.join())
    })
  },
}
`
const TIERS = {
  reuse: {},
  bounded: { isolation: 'bounded' },
  request: { isolation: 'request' },
  shared: { limits: { requestsPerRuntime: 8 } },
}

let server: RunningServer
beforeAll(async () => {
  server = await startServer({
    config: {
      functions: [
        ...Object.entries(TIERS).map(([name, more]) => ({
          name,
          file: 'rejecting.ts',
          routes: [`/${name}/*`],
          ...more,
        })),
        { name: 'early', file: 'early.ts', routes: ['/early'] },
      ],
    },
    handlerFiles: {
      'rejecting.ts': REJECTING,
      'early.ts':
        "// one\n\nPromise.reject(new Error('too early'))\nexport default () => new Response('served')\n",
    },
  })
})
afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

const ask = async (path: string) => (await fetch(server.url + path)).text()
const linesOf = (message: string) =>
  server.logs().filter((line) => line['msg'] === 'unhandled rejection' && errorOf(line).message === message)
const errorOf = (line: LogLine) => line['error'] as { name: string; message: string; stack: string }
const requestOf = (name: string) => server.logs().find(({ msg }) => msg === `serves ${name}`)?.['request']

test.each(Object.keys(TIERS))('a line names request, function and place: %s', async (tier) => {
  for (const [way, name] of [
    ['now', 'a'],
    ['after', 'b'],
    ['wait', 'c'],
  ]) {
    const message = `${tier}-${name}`
    expect(await ask(`/${tier}/${way}/${message}`)).toContain(`${message} `)
    const line = await server.waitForLog((each) => JSON.stringify(each['error'] ?? '').includes(message))
    expect(line).toMatchObject({ level: 50, msg: 'unhandled rejection', function: tier })
    expect(errorOf(line)).toMatchObject({ name: 'RangeError', message })
    expect(errorOf(line).stack).toMatch(/rejecting\.ts:4:\d+/)
    expect(line['request']).toBe(requestOf(message))
  }
})

test('requests side by side have each their own line', async () => {
  const names = Array.from({ length: 6 }, (_, i) => `beside-${i}`)
  const answers = await Promise.all(names.map((name) => ask(`/shared/after/${name}`)))
  expect(answers.map((answer) => answer.split(' ')[0])).toEqual(names)
  for (const name of names) {
    await server.waitForLog((line) => JSON.stringify(line['error'] ?? '').includes(name))
    expect(linesOf(name).map((line) => line['request'])).toEqual([requestOf(name)])
  }
})

test('what is caught, or cancelled by a listener, has no line', async () => {
  for (const tier of Object.keys(TIERS)) {
    await ask(`/${tier}/caught/mine`)
    await ask(`/${tier}/now/cancelled`)
    await ask(`/${tier}/now/end-${tier}`)
    await server.waitForLog((line) => JSON.stringify(line['error'] ?? '').includes(`end-${tier}`))
  }
  expect([...linesOf('mine'), ...linesOf('cancelled')]).toEqual([])
})

test('nothing of a request is seen by the next under isolation request', async () => {
  await ask('/request/now/first')
  expect(await ask('/request/caught/second')).toBe('second ')
})

test('a request has so many lines, and one that says so', async () => {
  await ask('/reuse/flood/flood')
  const last = 'further unhandled rejections of this request get no line'
  const line = await server.waitForLog(({ msg }) => msg === last)
  expect(line['request']).toBe(requestOf('flood'))
  expect(linesOf('flood')).toHaveLength(16)
})

test('top-level code has a warning with its place, and is served', async () => {
  expect(await ask('/early')).toBe('served')
  const line = await server.waitForLog(({ msg }) => msg === 'unhandled rejection in top-level code')
  expect(line).toMatchObject({ level: 40, function: 'early', error: { message: 'too early' } })
  expect(errorOf(line).stack).toMatch(/early\.ts:3:/)
})
