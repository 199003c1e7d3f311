import { expect, test } from 'vitest'
import { GuestError } from '../../src/engine/evaluate.ts'
import { FakeHost } from '../support/fake-host.ts'
import { ask, describeEngines, takeAnswer } from './engines.ts'

describeEngines('a request', (engine) => {
  test('text, bytes, nothing, and own fields', async () => {
    const instance = await engine.serving(`async (request) => {
      switch (new URL(request.url).pathname) {
        case '/json': return Response.json({ got: (await request.json()).value })
        case '/bytes': return new Response(new Uint8Array(await request.arrayBuffer()).reverse())
        case '/empty': return new Response(null, { status: 204 })
        case '/fields': return new Response('body', { status: 201, headers: { 'x-one': '1', 'x-two': '2' } })
        default: return new Response(request.method + ' ö')
      }
    }`)
    expect(ask(instance)).toMatchObject({ state: 'TEXT', status: 200, failure: null, body: 'GET ö' })
    const json = ask(instance, { method: 'POST', path: '/json', body: '{"value":"ü"}' })
    expect(json).toMatchObject({ state: 'TEXT', body: '{"got":"ü"}' })
    const bytes = ask(instance, { method: 'POST', path: '/bytes', body: Uint8Array.of(0, 1, 255) })
    expect(bytes.state).toBe('BYTES')
    expect([...bytes.bytes]).toEqual([255, 1, 0])
    expect(ask(instance, { path: '/empty' })).toMatchObject({ state: 'EMPTY', status: 204, body: '' })
    const fields = ask(instance, { path: '/fields' })
    expect(fields).toMatchObject({ status: 201, body: 'body' })
    expect(fields.head).toContain('x-one: 1\r\nx-two: 2\r\n')
  })

  test('an answer that waits for a timer', async () => {
    const instance = await engine.serving(
      `() => new Promise((answer) => { setTimeout(() => answer(new Response('later')), 20) })`,
    )
    const host = new FakeHost()
    expect(ask(instance, { host }).state).toBe('PENDING')
    expect([...host.timers.values()]).toEqual([20])
    instance.fire([...host.timers.keys()][0]!)
    expect(takeAnswer(instance)).toMatchObject({ state: 'TEXT', body: 'later' })
  })

  test('env is read at the first request, not at the making of the image', async () => {
    const instance = await engine.serving(`(request, env) => new Response(env.SECRET ?? 'none')`)
    const host = new FakeHost()
    host.environment = '{"SECRET":"s3cret"}'
    expect(ask(instance, { host }).body).toBe('s3cret')
  })

  test('a thrown error is text for the log', async () => {
    const instance = await engine.serving(`() => { throw new RangeError('too far') }`)
    const answer = ask(instance)
    expect(answer).toMatchObject({ state: 'FAILED', failure: null })
    expect(answer.body).toMatch(/^RangeError\ntoo far\n/)
    expect(ask(instance).state).toBe('FAILED')
  })

  test('console lines and calls that the border refuses', async () => {
    const host = new FakeHost()
    host.timersMax = 0
    const instance = await engine.serving(`() => {
      console.log('one', { two: 2 })
      console.error('three')
      try { setTimeout(() => {}, 1) } catch (error) { return new Response(error.message) }
    }`)
    expect(ask(instance, { host }).body).toBe('too many timers')
    expect(host.lines).toHaveLength(2)
    expect(host.lines[0]).toMatch(/^1 one /)
    expect(host.lines[1]).toBe('3 three')
  })
})

describeEngines('clones of an image', (engine) => {
  test('each has random numbers of its own, and after a load others again', async () => {
    const image = await engine.handler(`() => new Response(String(Math.random()))`)
    const seen = new Set<string>()
    for (let i = 0; i < 8; i++) {
      const instance = await engine.instance(image)
      seen.add(ask(instance).body)
      seen.add(ask(instance).body)
      instance.load(image, { cpuMs: 1000, hostCalls: 100, gcHardBytes: 1e9 })
      seen.add(ask(instance).body)
    }
    expect(seen.size).toBe(24)
  })

  test('what top-level code made is in each, and what one changes is not in the others', async () => {
    const image = await engine.image(`
      const made = Array.from({ length: 1000 }, (_, i) => i)
      let calls = 0
      exports.default = () => new Response(made.length + ' ' + ++calls)`)
    const [a, b] = [await engine.instance(image), await engine.instance(image)]
    expect([ask(a).body, ask(a).body, ask(b).body]).toEqual(['1000 1', '1000 2', '1000 1'])
  })

  test('top-level code that fails or does not end makes no image', async () => {
    await expect(engine.image(`throw new TypeError('at the top')`)).rejects.toMatchObject({
      guestName: 'TypeError',
      message: 'at the top',
    })
    await expect(engine.image(`for (;;) {}`, { initMs: 20 })).rejects.toThrow('cpu limit')
    await expect(
      engine.image(`Promise.resolve().then(() => { for (;;) {} })`, { initMs: 20 }),
    ).rejects.toThrow(GuestError)
    await expect(engine.image(`exports.nothing = 1`)).rejects.toMatchObject({ guestName: 'NoHandlerError' })
  })

  test('top-level code’s console lines and pending jobs are done before the image is taken', async () => {
    const host = new FakeHost()
    const image = await engine.image(
      `let ready = 'no'
       Promise.resolve().then(() => { ready = 'yes' })
       console.log('at the top')
       exports.default = () => new Response(ready)`,
      { host },
    )
    expect(host.lines).toEqual(['1 at the top'])
    expect(ask(await engine.instance(image)).body).toBe('yes')
  })
})

describeEngines('a load over a used instance', (engine) => {
  const SPY = `
    let kept = 'nothing'
    exports.default = async (request) => {
      const { pathname } = new URL(request.url)
      const text = await request.text()
      if (pathname === '/leave') {
        kept = text
        globalThis.left = text
        Array.prototype.left = text
        Object.prototype.polluted = text
        Response.json = () => new Response('stolen')
        JSON.parse = () => text
        setTimeout(() => {}, 1e6)
        return new Response('left')
      }
      const names = [kept, typeof globalThis.left, typeof [].left, typeof ({}).polluted, JSON.parse('"parsed"')]
      return Response.json(names)
    }`

  test('nothing of an earlier request is to be seen', async () => {
    const image = await engine.image(SPY)
    const instance = await engine.instance(image)
    const before = ask(instance).body
    ask(instance, { method: 'POST', path: '/leave', body: 'secret of the first' })
    expect(ask(instance).body).not.toBe(before)
    instance.load(image, { cpuMs: 1000, hostCalls: 100, gcHardBytes: 1e9 })
    expect(ask(instance).body).toBe(before)
    expect(before).toBe('["nothing","undefined","undefined","undefined","parsed"]')
  })

  test('nor in bytes that no object covers', async () => {
    const image = await engine.handler(`async (request) => {
      const text = await request.text()
      const copies = Array.from({ length: 200 }, (_, i) => text + i)
      new Uint8Array(3 << 20).fill(0x5a)
      return new Response(copies.join('').slice(0, 10))
    }`)
    const instance = await engine.instance(image)
    const secret = 'KEEP-THIS-FROM-THE-NEXT-TENANT'
    ask(instance, { method: 'POST', body: secret })
    const find = () => Buffer.from(instance.bytes.buffer).indexOf(secret, image.pointers.rt)
    expect(find()).toBeGreaterThan(0)
    instance.load(image, { cpuMs: 1000, hostCalls: 100, gcHardBytes: 1e9 })
    expect(find()).toBe(-1)
    expect(Buffer.from(instance.bytes.buffer).indexOf(Buffer.alloc(4096, 0x5a), image.pointers.rt)).toBe(-1)
  })

  test('also after memory has grown beyond the image’s, and when a request failed in the middle', async () => {
    const image = await engine.handler(`(request) => {
      const { pathname } = new URL(request.url)
      if (pathname === '/grow') globalThis.big = new Uint8Array(12 << 20).fill(1)
      if (pathname === '/loop') for (globalThis.n = 0; ; n++);
      return new Response(typeof globalThis.big + typeof globalThis.n)
    }`)
    const limits = { cpuMs: 50, hostCalls: 100, gcHardBytes: 1e9 }
    const instance = await engine.instance(image, limits)
    const pages = instance.bytes.length
    expect(ask(instance, { path: '/grow' }).body).toBe('objectundefined')
    expect(instance.bytes.length).toBeGreaterThan(pages)
    expect(instance.heapBytes).toBeGreaterThan(11 << 20)
    instance.load(image, limits)
    expect(instance.heapBytes).toBeLessThan(1 << 20)
    expect(instance.memory.committedHeapBytes).toBeGreaterThan(11 << 20)
    expect(ask(instance).body).toBe('undefinedundefined')
    expect(ask(instance, { path: '/loop' }).failure).toBe('cpu')
    instance.load(image, limits)
    expect(instance.failure).toBe(null)
    expect(ask(instance).body).toBe('undefinedundefined')
    // And it can grow again.
    expect(ask(instance, { path: '/grow' }).body).toBe('objectundefined')
  })

  test('an image that needs more pages than the instance has is refused', async () => {
    const small = await engine.handler(`() => new Response('small')`)
    const large = await engine.image(
      `const held = new Uint8Array(14 << 20).fill(7); exports.default = () => new Response(String(held[9]))`,
    )
    expect(large.pages).toBeGreaterThan(small.pages)
    const instance = await engine.instance(small)
    expect(() => instance.load(large, { cpuMs: 1, hostCalls: 1, gcHardBytes: 1 })).toThrow('lacks')
    expect(ask(await engine.instance(large)).body).toBe('7')
  })
})
