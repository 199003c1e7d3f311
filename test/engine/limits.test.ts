import { expect, test } from 'vitest'
import { FakeHost } from '../support/fake-host.ts'
import { ask, describeEngines, leaseOrGrow, MEMORY_BYTES, takeAnswer } from './engines.ts'

const GREEDY = `(request) => {
  switch (new URL(request.url).pathname) {
    case '/loop': for (;;);
    case '/catch': for (;;) { try { for (;;); } catch {} }
    case '/jobs': return (async () => { for (;;) await null })()
    case '/regexp': return new Response(String(/^(a+)+$/.test('a'.repeat(40) + 'b')))
    case '/objects': { const all = []; for (;;) all.push({ at: all.length }) }
    case '/bytes': { const all = []; for (;;) all.push(new Uint8Array(1 << 20)) }
    case '/string': { let text = 'x'; for (;;) text += text + text.length }
    case '/calls': for (;;) performance.now()
    case '/calls-caught': for (;;) try { new URL('/a b', 'http://x/') } catch {}
    case '/long-calls': for (;;) console.log('x')
    case '/long-calls-in-jobs': return (async () => { for (;;) { await null; console.log('x') } })()
    case '/deep': { const down = (n) => 1 + down(n + 1); return new Response(String(down(0))) }
    case '/parse': return new Response(String(JSON.parse('['.repeat(1e5))))
  }
  return new Response('fine')
}`

/** Each line that it is given costs 5 ms. */
class LongCalls extends FakeHost {
  taken = 0
  override log(): void {
    this.taken++
    const untilMs = performance.now() + 5
    while (performance.now() < untilMs);
  }
}

describeEngines('a request that goes too far', (engine) => {
  test.each([
    ['/loop', 'cpu'],
    ['/catch', 'cpu'],
    ['/jobs', 'cpu'],
    ['/regexp', 'cpu'],
    ['/calls', 'host-calls'],
    ['/calls-caught', 'host-calls'],
  ])('%s ends by its %s limit, and the next request is served', async (path, failure) => {
    const image = await engine.handler(GREEDY)
    const instanceLimits = { cpuMs: 40, hostCalls: 200, gcHardBytes: MEMORY_BYTES / 2 }
    const { pools, counts } = engine.pools([image], { instance: instanceLimits })
    await pools.prewarm(1)
    const runtime = pools.lease(0)!
    expect(ask(runtime.instance, { path }).failure).toBe(failure)
    pools.giveBack(runtime, performance.now(), true)
    const next = await leaseOrGrow(pools)
    expect(ask(next.instance)).toMatchObject({ failure: null, body: 'fine' })
    expect(counts.reset + counts.condemned).toBe(1)
    expect(pools.size).toBe(1)
  })

  // The engine polls by its own steps, and a loop around a long call takes few of them.
  test.each(['/long-calls', '/long-calls-in-jobs'])(
    '%s ends soon after its limit, by its cpu limit',
    async (path) => {
      const image = await engine.handler(GREEDY)
      const instanceLimits = { cpuMs: 40, hostCalls: 1000, gcHardBytes: MEMORY_BYTES / 2 }
      const { pools } = engine.pools([image], { instance: instanceLimits })
      await pools.prewarm(1)
      const host = new LongCalls()
      const { instance } = pools.lease(0)!
      expect(ask(instance, { path, host }).failure).toBe('cpu')
      // Eight have the limit's length; of those that the machine interrupts, less is counted.
      expect(host.taken).toBeLessThan(40)
      // Between two jobs there is no place where it is.
      expect(instance.failureStack).toMatch(path === '/long-calls' ? /^ +at / : /^$/)
    },
  )

  // A guest can catch these; what matters is that it ends with either its own error or a failure, and that nobody else notices.
  test.each(['/objects', '/bytes', '/string', '/deep', '/parse'])(
    '%s ends, and the next request is served',
    async (path) => {
      const image = await engine.handler(GREEDY)
      const instanceLimits = { cpuMs: 10_000, hostCalls: 200, gcHardBytes: MEMORY_BYTES / 2 }
      const { pools } = engine.pools([image], { instance: instanceLimits })
      await pools.prewarm(1)
      const runtime = pools.lease(0)!
      const { state, failure, body } = ask(runtime.instance, { path })
      if (failure === null) {
        expect(state).toBe('FAILED')
        expect(body).toMatch(/out of memory|stack|null|string|SyntaxError/i)
      } else expect(['memory', 'stack']).toContain(failure)
      expect(runtime.instance.bytes.length).toBeLessThanOrEqual(MEMORY_BYTES)
      pools.giveBack(runtime, performance.now(), true)
      expect(ask((await leaseOrGrow(pools)).instance)).toMatchObject({ failure: null, body: 'fine' })
    },
  )

  test('an instance whose recursion ran out of the thread’s own stack is dropped for another', async () => {
    const image = await engine.image(`exports.default = ${GREEDY}`, { stackBytes: 4 << 20 })
    const { pools, counts } = engine.pools([image])
    await pools.prewarm(1)
    const runtime = pools.lease(0)!
    expect(ask(runtime.instance, { path: '/deep' }).failure).toBe('engine')
    expect(runtime.instance.engineSaid).not.toBe('')
    pools.giveBack(runtime, performance.now(), false)
    expect(counts).toMatchObject({ condemned: 1, reset: 0 })
    expect(pools.size).toBe(0)
    expect(ask((await leaseOrGrow(pools)).instance)).toMatchObject({ failure: null, body: 'fine' })
  })

  test('a body that does not fit into memory is a failure, not a crash', async () => {
    const instance = await engine.serving(GREEDY)
    expect(ask(instance, { method: 'POST', body: new Uint8Array(MEMORY_BYTES) }).failure).toBe('memory')
    const other = await engine.serving(GREEDY)
    expect(ask(other, { method: 'POST', body: 'x'.repeat(MEMORY_BYTES) }).failure).toBe('memory')
  })

  test('budgets are of one request: the next begins anew, a wait does not', async () => {
    const instance = await engine.serving(
      `async (request) => {
        const spin = (ms) => { const end = performance.now() + ms; while (performance.now() < end); }
        spin(30)
        while (request.method === 'POST') {
          await new Promise((resolve) => setTimeout(resolve, 1))
          spin(30)
        }
        return new Response('done')
      }`,
      { cpuMs: 60, hostCalls: 10_000_000 },
    )
    for (let i = 0; i < 4; i++) expect(ask(instance).failure).toBe(null)
    const host = new FakeHost()
    let answer = ask(instance, { method: 'POST', body: '', host })
    expect(answer).toMatchObject({ state: 'PENDING', failure: null })
    // Each step alone is within the limit. How exactly the second passes it is a matter of what the clocks can tell.
    for (let step = 0; step < 12 && answer.failure === null; step++) {
      const [timer] = host.timers.keys()
      host.timers.clear()
      instance.fire(timer!)
      answer = takeAnswer(instance)
    }
    expect(answer.failure).toBe('cpu')
  })
})
