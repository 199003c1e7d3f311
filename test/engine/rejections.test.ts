// Rejected promises that nobody handles, in the engine: when the guest is told, and of what.

import { expect, test } from 'vitest'
import { REJECTIONS_MAX } from '../../src/engine/tracker.ts'
import { FakeHost } from '../support/fake-host.ts'
import { ask, describeEngines, takeAnswer } from './engines.ts'

/** A handler that notes both events in `seen`, and answers with what they were. */
const LISTENING = `
  const seen = []
  for (const type of ['unhandledrejection', 'rejectionhandled'])
    addEventListener(type, (event) => seen.push([type, String(event.reason), event.promise instanceof Promise,
      event.cancelable, event.isTrusted]))
`
const firstLines = ({ unhandledOnes }: FakeHost) =>
  unhandledOnes.map((one) => (typeof one === 'number' ? one : one.split('\n').slice(0, 2).join(': ')))

describeEngines('a rejected promise', (engine) => {
  /** Asks a function whose module is `body` once, at each of the paths; then fires its timers. */
  async function serve(body: string, paths: readonly string[] = ['/']) {
    const host = new FakeHost()
    const instance = await engine.instance(await engine.image(body))
    const bodies: string[] = []
    for (const path of paths) {
      const answer = ask(instance, { host, path })
      expect(answer.failure).toBe(null)
      bodies.push(answer.body)
    }
    return { host, instance, bodies }
  }

  test('that nobody handles is told once, when no job is left, and the answer stays', async () => {
    const { host, bodies } = await serve(
      `${LISTENING}
      exports.default = (request) => {
        if (request.url.endsWith('/seen')) return Response.json(seen)
        const lost = Promise.reject(new RangeError('lost'))
        return new Response('fine')
      }`,
      ['/', '/seen', '/seen'],
    )
    const event = ['unhandledrejection', 'RangeError: lost', true, true, true]
    expect(bodies[0]).toBe('fine')
    expect(JSON.parse(bodies[1]!)).toEqual([event])
    expect(bodies[2]).toBe(bodies[1])
    expect(firstLines(host)).toEqual(['RangeError: lost'])
    expect(host.unhandledOnes[0]).toContain('function.js')
  })

  test.each([
    ['caught', `try { await Promise.reject(1) } catch {}`],
    ['caught a job later', `const p = Promise.reject(1); await null; await null; p.catch(() => {})`],
    ['in a loop', `for (let i = 0; i < 5000; i++) try { await Promise.reject(i) } catch {}`],
    [
      'of all',
      `try { await Promise.all(Array.from({ length: 2000 }, async (_, i) => { throw i })) } catch {}`,
    ],
    ['of allSettled', `await Promise.allSettled(Array.from({ length: 1000 }, (_, i) => Promise.reject(i)))`],
    ['of race', `await Promise.race([1, Promise.reject(2)])`],
    ['given to waitUntil', `ctx.waitUntil(Promise.reject(1))`],
    ['in an async iterator', `try { for await (const x of [Promise.reject(1)]); } catch {}`],
    [
      'of a stream',
      `
      const stream = new ReadableStream({ start(c) { c.error(new Error('bad')) } })
      try { await stream.getReader().read() } catch {}`,
    ],
    [
      'of a piped stream',
      `
      const { readable, writable } = new TransformStream({ transform() { throw new Error('bad') } })
      try { await Promise.all([new Response('a').body.pipeTo(writable), new Response(readable).text()]) } catch {}`,
    ],
    ['of a body read twice', `const r = new Response('a'); await r.text(); try { await r.text() } catch {}`],
    ['of an aborted signal', `const s = AbortSignal.abort(); try { s.throwIfAborted() } catch {}`],
    ['of a digest', `try { await crypto.subtle.digest('nothing', new Uint8Array(1)) } catch {}`],
  ])('that is handled is told to nobody: %s', async (_, code) => {
    const { host, bodies } = await serve(`${LISTENING}
      exports.default = async (request, env, ctx) => { ${code}\n return Response.json(seen) }`)
    expect(bodies).toEqual(['[]'])
    expect(host.unhandledOnes).toEqual([])
  })

  test.each([
    ['async and throws', `async () => { throw new Error('mine') }`],
    ['rejects', `() => Promise.reject(new Error('mine'))`],
    ['rejects after a job', `async () => { await null; throw new Error('mine') }`],
  ])('of the handler is the failure of its request: %s', async (_, handler) => {
    const host = new FakeHost()
    const instance = await engine.instance(
      await engine.image(`${LISTENING} let first = true
        exports.default = (request) => first ? (first = false, (${handler})()) : Response.json(seen)`),
    )
    expect(ask(instance, { host }).state).toBe('FAILED')
    expect(ask(instance, { host }).body).toBe('[]')
    expect(host.unhandledOnes).toEqual([])
  })

  test('that is handled after it was told is told of again, once', async () => {
    const { host, bodies } = await serve(
      `${LISTENING}
      let kept
      exports.default = (request) => {
        if (request.url.endsWith('/reject')) kept = Promise.reject('late')
        if (request.url.endsWith('/handle')) for (let i = 0; i < 2; i++) kept.catch(() => {})
        return Response.json(seen.map(([type, reason, , isCancelable]) => [type, reason, isCancelable]))
      }`,
      ['/reject', '/handle', '/seen', '/seen'],
    )
    const told = ['unhandledrejection', 'late', true]
    expect(bodies.map((body) => JSON.parse(body))).toEqual([
      [],
      [told],
      [told, ['rejectionhandled', 'late', false]],
      [told, ['rejectionhandled', 'late', false]],
    ])
    expect(firstLines(host)).toEqual(['Error: thrown: late'])
  })

  test('that a listener handles is not told of again', async () => {
    const { bodies } = await serve(
      `let late = 0
      onunhandledrejection = ({ promise }) => { promise.catch(() => {}) }
      onrejectionhandled = () => { late++ }
      exports.default = () => { Promise.reject(1); return new Response(String(late)) }`,
      ['/', '/', '/'],
    )
    expect(bodies).toEqual(['0', '0', '0'])
  })

  test.each([
    ['preventDefault', `addEventListener('unhandledrejection', (event) => event.preventDefault())`],
    ['false of a handler', `self.onunhandledrejection = () => false`],
  ])('that is cancelled has no line: %s', async (_, listener) => {
    const { host } = await serve(
      `${listener}\nexports.default = () => { Promise.reject(1); return new Response('') }`,
    )
    expect(host.unhandledOnes).toEqual([])
  })

  test('of a timer, in which its request is told', async () => {
    const { host, instance } = await serve(`exports.default = async () => {
      await new Promise((resolve) => setTimeout(async () => { resolve(); throw new Error('in a timer') }, 5))
      return new Response('after')
    }`)
    expect(host.unhandledOnes).toEqual([])
    instance.fire([...host.timers.keys()][0]!)
    expect(takeAnswer(instance)).toMatchObject({ body: 'after', failure: null })
    expect(firstLines(host)).toEqual(['Error: in a timer'])
  })

  test('of the top level is told when the image is made', async () => {
    const host = new FakeHost()
    const image = await engine.image(
      `${LISTENING} Promise.reject(new Error('early')); exports.default = () => Response.json(seen)`,
      { host },
    )
    expect(firstLines(host)).toEqual(['Error: early'])
    const instance = await engine.instance(image)
    const request = new FakeHost()
    expect(JSON.parse(ask(instance, { host: request }).body)).toHaveLength(1)
    expect(request.unhandledOnes).toEqual([])
  })

  test('is told in the order of rejection, by listeners that see what those before have done', async () => {
    const { bodies } = await serve(
      `const seen = []
      let second
      onunhandledrejection = ({ reason }) => { seen.push(reason); second.catch(() => {}) }
      exports.default = () => {
        const answer = Response.json(seen)
        Promise.reject('first'); second = Promise.reject('second'); Promise.reject('third')
        return answer
      }`,
      ['/', '/'],
    )
    expect(bodies).toEqual(['[]', '["first","third"]'])
  })

  /** A handler that answers `fine` after this code. */
  const handler = (code: string, top = '') =>
    engine.image(`${top}\nexports.default = (request, env, ctx) => { ${code}\n return new Response('fine') }`)

  test('has a limit, beyond which they are counted, and nothing of them is left', async () => {
    const host = new FakeHost()
    const instance = await engine.instance(await handler('for (let i = 0; i < 20000; i++) Promise.reject(i)'))
    ask(instance, { host })
    const allocations = instance.memory.allocations
    for (let round = 0; round < 2; round++) {
      host.unhandledOnes.length = 0
      expect(ask(instance, { host })).toMatchObject({ body: 'fine', failure: null })
      expect(host.unhandledOnes).toHaveLength(REJECTIONS_MAX + 1)
      expect(host.unhandledOnes.at(-1)).toBe(20_000 - REJECTIONS_MAX)
    }
    expect(instance.memory.allocations - allocations).toBeLessThan(100)
  })

  test('by the listener is told of so many in one step, and not of more', async () => {
    const host = new FakeHost()
    const instance = await engine.instance(
      await handler(
        'Promise.reject(0)',
        'let n = 0; onunhandledrejection = () => { n++; Promise.reject(n); return false }',
      ),
    )
    expect(ask(instance, { host })).toMatchObject({ body: 'fine', failure: null })
    expect(host.unhandledOnes).toEqual([1])
  })

  test.each([
    [
      'a listener that throws',
      `addEventListener('unhandledrejection', () => { throw new Error('listener') })`,
      'Promise.reject(1)',
    ],
    [
      'a reason with getters',
      '',
      `Promise.reject({ get name() { throw 1 }, get message() { throw 2 }, get stack() { throw 3 } })`,
    ],
    ['a reason that cannot be shown', '', `Promise.reject(Object.create(null)); Promise.reject(Symbol('s'))`],
    ['a proxy', '', `Promise.reject(new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 } }))`],
    [
      'a revoked proxy',
      '',
      `const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); Promise.reject(proxy)`,
    ],
    [
      'broken built-ins',
      '',
      `
      WeakSet.prototype.add = Promise.prototype.then = Map.prototype.get = () => { throw new Error('broken') }
      addEventListener; Promise.reject(1)`,
    ],
    [
      'an event of its own',
      '',
      `
      const promise = Promise.reject(1)
      const event = new PromiseRejectionEvent('unhandledrejection', { promise, reason: 1, cancelable: true })
      event.preventDefault(); dispatchEvent(event)`,
    ],
    ['a rejection of a subclass', '', `class P extends Promise {} P.reject(1)`],
  ])('that is strange, or is told of strangely, costs no answer: %s', async (_, top, code) => {
    const host = new FakeHost()
    const instance = await engine.instance(await handler(code, top))
    for (let round = 0; round < 3; round++) {
      expect(ask(instance, { host })).toMatchObject({ body: 'fine', failure: null })
    }
    expect(host.unhandledOnes.length).toBeGreaterThanOrEqual(3)
  })

  test('whose listener never ends is ended by the limit of processor time', async () => {
    const instance = await engine.instance(
      await handler('Promise.reject(1)', 'onunhandledrejection = () => { for (;;); }'),
      { cpuMs: 50 },
    )
    expect(ask(instance).failure).toBe('cpu')
  })

  test('is forgotten by a reset', async () => {
    for (const hasBarrier of [false, true]) {
      const image = await handler(
        'globalThis.kept ??= Promise.reject(1); if (request.url.endsWith("b")) kept.catch(() => {})',
        'let late = 0; onrejectionhandled = () => { throw new Error("late") }',
      )
      const instance = await engine.instance(image, {}, hasBarrier)
      for (const path of ['/', '/b', '/']) {
        const host = new FakeHost()
        instance.load(image, { cpuMs: 1000, hostCalls: 10, gcHardBytes: 1e9 })
        ask(instance, { host, path })
        expect(firstLines(host)).toEqual(path === '/' ? ['Error: thrown: 1'] : [])
        expect(host.lines).toEqual([])
      }
    }
  })
})
