import { expect, test } from 'vitest'
import type { Instance } from '../../src/engine/instance.ts'
import type { Runtime } from '../../src/engine/pool.ts'
import type { Pools } from '../../src/engine/pools.ts'
import { ask, describeEngines, leaseOrGrow } from './engines.ts'

const NOW_MS = 1_000_000
const SECRET = 'a-secret-of-the-first-tenant'
/** A number that recursion leaves on the C stack. */
const SECRET_NUMBER = 0x5e_c2_e7_a1

/** Puts what it is sent wherever a guest can put something. */
const FIRST = `(() => {
  const kept = []
  const deep = (n, number) => {
    const a = number, b = number, c = [number, n]
    return n === 0 ? a + b : deep(n - 1, c[0]) + (a === b ? 0 : 1)
  }
  return async (request) => {
    const text = await request.text()
    const number = Number(request.headers.get('x-number'))
    kept.push(text, text.split('').join('|'), new TextEncoder().encode(text), { [text]: text })
    globalThis.held = text.repeat(200)
    Object.prototype[text] = text
    Array.from({ length: 50 }, () => text + '!')
    deep(300, number)
    try { JSON.parse('['.repeat(500) + number) } catch {}
    text.replace(/(.)+?/g, (each) => each + text)
    return new Response(text.slice(0, 8), { headers: { 'x-kept': text } })
  }
})()`
const SECOND = `(() => { let calls = 0; return () => new Response(String(++calls) + typeof globalThis.held) })()`

const numberBytes = Buffer.alloc(4)
numberBytes.writeInt32LE(SECRET_NUMBER | 0)

/** Where in an instance's whole memory the secrets stand, the C stack and the heap apart. */
function findings(instance: Instance, heapStart: number): { stack: number; heap: number; texts: number } {
  const memory = Buffer.from(instance.bytes.buffer, 0, instance.bytes.length)
  const count = (needle: Buffer | string, from: number, to: number) => {
    let found = 0
    const part = memory.subarray(from, to)
    for (let at = part.indexOf(needle); at >= 0; at = part.indexOf(needle, at + 1)) found++
    return found
  }
  return {
    stack: count(numberBytes, 0, heapStart),
    heap: count(numberBytes, heapStart, memory.length),
    texts: count(SECRET, 0, memory.length) + count(SECRET.split('').join('|'), 0, memory.length),
  }
}

async function fill(pools: Pools<Runtime>): Promise<Runtime> {
  const runtime = await leaseOrGrow(pools, 0)
  const body = SECRET
  const answer = ask(runtime.instance, {
    method: 'POST',
    path: `/${SECRET}`,
    body,
    fields: { 'x-number': String(SECRET_NUMBER | 0) },
  })
  expect(answer).toMatchObject({ failure: null, body: SECRET.slice(0, 8) })
  return runtime
}

describeEngines('an instance that changes its tenant', (engine) => {
  const open = async (shard: { instances: number; blanks?: number }) => {
    const first = await engine.handler(FIRST)
    const second = await engine.handler(SECOND)
    return { ...engine.pools([first, second], {}, shard), heapStart: first.pointers.rt }
  }

  test('has nothing of the former one anywhere in its memory, when it was evicted', async () => {
    const { pools, counts, heapStart } = await open({ instances: 1 })
    const former = await fill(pools)
    const { instance } = former
    // Otherwise there would be nothing to find.
    const before = findings(instance, heapStart)
    expect(before.stack).toBeGreaterThan(0)
    expect(before.heap).toBeGreaterThan(0)
    expect(before.texts).toBeGreaterThan(10)
    pools.giveBack(former, NOW_MS, false)
    const next = await leaseOrGrow(pools, 1)
    expect(next.instance).toBe(instance)
    expect(counts.evicted).toBe(1)
    expect(findings(instance, heapStart)).toEqual({ stack: 0, heap: 0, texts: 0 })
    expect(ask(instance).body).toBe('1undefined')
  })

  test('nor when it was a blank in between', async () => {
    const { pools, heapStart } = await open({ instances: 1, blanks: 1 })
    const runtime = await fill(pools)
    pools.giveBack(runtime, performance.now() - 5000, false)
    await pools.tidy(NOW_MS)
    expect([pools.blanks, pools.size]).toEqual([1, 0])
    const next = pools.lease(1)!
    expect(next.instance).toBe(runtime.instance)
    expect(findings(next.instance, heapStart)).toEqual({ stack: 0, heap: 0, texts: 0 })
    expect(ask(next.instance).body).toBe('1undefined')
  })

  test.each(['reuse', 'bounded', 'request'] as const)('under isolation %s too', async (isolation) => {
    const images = [await engine.handler(FIRST), await engine.handler(SECOND)]
    const { pools } = engine.pools(images, { isolation }, { instances: 1 })
    const runtime = await fill(pools)
    pools.giveBack(runtime, NOW_MS, false)
    const next = await leaseOrGrow(pools, 1)
    expect(next.instance).toBe(runtime.instance)
    expect(findings(next.instance, images[0]!.pointers.rt)).toEqual({ stack: 0, heap: 0, texts: 0 })
  })

  test('recursion to its limit is scrubbed as well, down to the deepest byte', async () => {
    const deep = await engine.handler(`() => {
      const dive = (n) => { try { return dive(n + 1) } catch { return n } }
      return new Response(String(dive(0) > 50))
    }`)
    const { pools } = engine.pools([deep, await engine.handler(SECOND)], {}, { instances: 1 })
    const runtime = await leaseOrGrow(pools, 0)
    expect(ask(runtime.instance).body).toBe('true')
    const { instance } = runtime
    pools.giveBack(runtime, NOW_MS, false)
    const used = () =>
      instance.bytes.subarray(0, deep.pointers.rt).reduce((sum, byte) => sum + Math.sign(byte), 0)
    const before = used()
    await leaseOrGrow(pools, 1)
    const fresh = await engine.instance(await engine.handler(SECOND))
    const clean = fresh.bytes.subarray(0, deep.pointers.rt)
    expect(before).toBeGreaterThan(used())
    expect(Buffer.compare(instance.bytes.subarray(0, deep.pointers.rt), clean)).toBe(0)
  })
})

describeEngines('isolation between requests of one function', (engine) => {
  const STATEFUL = `(() => {
    let calls = 0
    const seen = new Map()
    return (request) => {
      const found = {
        calls: ++calls,
        map: seen.size,
        global: typeof globalThis.mark,
        prototype: typeof {}.mark,
        array: [].map === Array.prototype.every,
        builtin: typeof Response.json.mark,
        math: typeof Math.mark,
        handler: typeof globalThis.constructor.mark,
      }
      seen.set(calls, request)
      globalThis.mark = Object.prototype.mark = Math.mark = Response.json.mark = globalThis.constructor.mark = 1
      Array.prototype.map = Array.prototype.every
      return new Response(JSON.stringify(found))
    }
  })()`

  const served = async (isolation: 'reuse' | 'request') => {
    const { pools } = engine.pools([await engine.handler(STATEFUL)], { isolation })
    const bodies: unknown[] = []
    for (let i = 0; i < 3; i++) {
      const runtime = await leaseOrGrow(pools)
      bodies.push(JSON.parse(ask(runtime.instance).body))
      pools.giveBack(runtime, NOW_MS, false)
    }
    return bodies
  }
  const PRISTINE = {
    calls: 1,
    map: 0,
    global: 'undefined',
    prototype: 'undefined',
    array: false,
    builtin: 'undefined',
    math: 'undefined',
    handler: 'undefined',
  }

  test('request: every one finds the function as it was initialised', async () => {
    expect(await served('request')).toEqual([PRISTINE, PRISTINE, PRISTINE])
  })

  test('reuse: what the function keeps, the next request finds', async () => {
    const [first, second] = await served('reuse')
    expect(first).toEqual(PRISTINE)
    expect(second).toMatchObject({ calls: 2, map: 1, global: 'number', array: true, math: 'number' })
  })
})
