import { expect, test } from 'vitest'
import { type Ask, ask, describeEngines } from './engines.ts'

const REQUESTS = 2000
/** The allocator's own rounding: nothing that 2,000 requests leave behind is as small. */
const SLACK_BYTES = 4096

describeEngines('the heap', (engine) => {
  const KINDS: [string, string, Ask][] = [
    ['hello', `() => new Response('hello')`, {}],
    ['a promise', `async () => new Response('hello')`, {}],
    [
      'JSON',
      `async (request) => Response.json(await request.json())`,
      { method: 'POST', body: '{"a":[1,2,{"b":"c"}]}' },
    ],
    [
      'bytes',
      `async (request) => new Response(await request.arrayBuffer())`,
      { method: 'POST', body: Buffer.alloc(5000, 0xff) },
    ],
    [
      'large text',
      `async (request) => new Response(await request.text())`,
      { method: 'POST', body: 'x'.repeat(40_000) },
    ],
    ['fields', `() => new Response('x', { headers: { 'x-a': '1', 'set-cookie': 'b=2' } })`, {}],
    ['fields of bytes', `() => new Response(new Uint8Array(9), { headers: { 'x-a': '1' } })`, {}],
    ['a thrown error', `() => { throw new TypeError('no') }`, {}],
    ['a rejection', `async () => { throw new TypeError('no') }`, {}],
    ['console lines', `() => { console.log('a line', [1, 2], { c: 3 }); return new Response('x') }`, {}],
    [
      'host calls',
      `(request) => new Response(new URL('?b=ü', request.url).href + new TextDecoder().decode(new TextEncoder().encode('ö\\0')))`,
      {},
    ],
    ['no answer', `() => 42`, {}],
  ]

  test.each(KINDS)(
    `is as large after ${REQUESTS} requests as after a few: %s`,
    async (_, handler, request) => {
      const instance = await engine.serving(handler)
      const { failure, body } = ask(instance, request)
      expect(failure).toBe(null)
      for (let i = 0; i < 50; i++) ask(instance, request)
      instance.collect()
      const before = instance.heapBytes
      for (let i = 0; i < REQUESTS; i++) ask(instance, request)
      expect(ask(instance, request)).toMatchObject({ failure: null, body })
      instance.collect()
      expect(instance.heapBytes - before).toBeLessThan(SLACK_BYTES)
      expect(instance.failure).toBe(null)
    },
  )

  test('of plain requests grows without any collection by nothing at all', async () => {
    const instance = await engine.serving(`() => new Response('hello')`)
    for (let i = 0; i < 50; i++) ask(instance)
    const before = instance.heapBytes
    for (let i = 0; i < REQUESTS; i++) ask(instance)
    expect(instance.heapBytes - before).toBeLessThan(SLACK_BYTES)
  })

  test('a collection takes cyclic garbage, and leaves what is alive', async () => {
    const instance = await engine.serving(`(() => {
      const alive = { name: 'alive' }
      alive.self = alive
      return () => {
        for (let i = 0; i < 20000; i++) { const a = { i }, b = { a }; a.b = b }
        return new Response(alive.self.self.name)
      }
    })()`)
    expect(ask(instance).body).toBe('alive')
    const full = instance.heapBytes
    expect(full).toBeGreaterThan(1 << 20)
    instance.collect()
    expect(instance.heapBytes).toBeLessThan(full / 10)
    expect(ask(instance).body).toBe('alive')
    expect(instance.failure).toBe(null)
  })

  test('within a request the engine’s own collector runs above the hard limit', async () => {
    const instance = await engine.serving(
      `() => {
        for (let i = 0; i < 400000; i++) { const a = { i }; a.self = a }
        return new Response('went through')
      }`,
      { gcHardBytes: 4 << 20, cpuMs: 20_000 },
    )
    // Without it this garbage would not fit: the next test.
    for (let i = 0; i < 2; i++) expect(ask(instance)).toMatchObject({ failure: null, body: 'went through' })
    const without = await engine.serving(
      `() => {
        for (let i = 0; i < 400000; i++) { const a = { i }; a.self = a }
        return new Response('went through')
      }`,
      { gcHardBytes: Number.POSITIVE_INFINITY, cpuMs: 20_000 },
    )
    expect(ask(without).body).not.toBe('went through')
  })
})
