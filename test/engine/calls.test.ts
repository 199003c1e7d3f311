import { beforeAll, expect, test } from 'vitest'
import type { BaseImage } from '../../src/engine/build.ts'
import { makeBases } from '../../src/engine/images.ts'
import type { Instance } from '../../src/engine/instance.ts'
import { OUTCOME } from '../../src/guest/ops.ts'
import { buildGuest } from '../guest/sandbox.ts'
import { FakeHost } from '../support/fake-host.ts'
import { ask, describeEngines, takeAnswer } from './engines.ts'

/** An operation's number: the host of these tests does not look at it. */
const OP = 7

describeEngines('a call that takes time', (engine) => {
  let base: BaseImage
  beforeAll(async () => {
    const scripts = await buildGuest({ async: `import './test/guest/probe.ts'` })
    base = (await makeBases(engine.variant, Buffer.from(scripts))).bases.at(-1)!
  })
  const serving = async (handler: string): Promise<Instance> =>
    engine.instance(await engine.image(`exports.default = ${handler}`, { base }))

  test('its arguments cross by their types, and its result settles the promise', async () => {
    const instance = await serving(`async () => {
      const bytes = Uint8Array.of(1, 2, 0)
      const got = await probe.hostAsync(7, 'text ü', 4.5, true, bytes.buffer, { toString() { throw 1 } })
      return Response.json([typeof got, got.byteLength, [...new Uint8Array(got)]])
    }`)
    const host = new FakeHost()
    expect(ask(instance, { host }).state).toBe('PENDING')
    const [[id, call]] = [...host.calls] as unknown as [[number, readonly unknown[]]]
    expect(call.slice(0, 5)).toEqual([OP, 'text ü', 4.5, 1, Uint8Array.of(1, 2, 0)])
    expect(call[5]).toBeUndefined()
    instance.complete(id, OUTCOME.DONE, Uint8Array.of(0, 255))
    expect(takeAnswer(instance)).toMatchObject({ state: 'TEXT', body: '["object",2,[0,255]]' })
  })

  test.each([
    ['undefined', undefined],
    ['0.5', 0.5],
    ['"a b"', 'a b'],
    ['""', ''],
  ])('a result may be %s', async (shown, result) => {
    const instance = await serving(`async () => {
      const got = await probe.hostAsync(7)
      return new Response(got === undefined ? 'undefined' : JSON.stringify(got))
    }`)
    const host = new FakeHost()
    ask(instance, { host })
    instance.complete([...host.calls.keys()][0]!, OUTCOME.DONE, result)
    expect(takeAnswer(instance).body).toBe(shown)
  })

  test.each([
    ['TypeError\nno such host', 'TypeError TypeError no such host undefined undefined'],
    ['RangeError\ntoo long', 'RangeError RangeError too long undefined undefined'],
    ['DataError\nbad key', 'DOMException DataError bad key undefined undefined'],
    ['TypeError\nfailed\nECONNREFUSED\nrefused', 'TypeError TypeError failed ECONNREFUSED refused'],
  ])('a failure is an error of its name', async (text, shown) => {
    const instance = await serving(`async () => {
      try { await probe.hostAsync(7) } catch (error) {
        return new Response([error.constructor.name, error.name, error.message, error.cause?.code, error.cause?.message].map(String).join(' '))
      }
    }`)
    const host = new FakeHost()
    ask(instance, { host })
    instance.complete([...host.calls.keys()][0]!, OUTCOME.FAILED, text)
    expect(takeAnswer(instance).body).toBe(shown)
  })

  test('a host that takes no more refuses by a rejection; at the top level there is none', async () => {
    const instance = await serving(`async () => {
      try { await probe.hostAsync(7) } catch (error) { return new Response(error.message) }
    }`)
    const host = new FakeHost()
    host.callsMax = 0
    expect(ask(instance, { host }).body).toBe('too many calls')
    await expect(engine.image(`probe.hostAsync(7)`, { base })).rejects.toThrow(/top-level/)
  })

  test('a call that is given up is told to the host, and its end changes nothing', async () => {
    const instance = await serving(`async () => {
      const calls = [probe.hostAsync(7)]
      const id = probe.lastCallId()
      probe.cancelCall(id, new Error('enough'))
      probe.cancelCall(id, new Error('twice'))
      probe.cancelCall(-1, new Error('nobody'))
      const [{ reason }] = await Promise.allSettled(calls)
      return new Response(id + ' ' + reason.message)
    }`)
    const host = new FakeHost()
    const { body } = ask(instance, { host })
    expect(body).toMatch(/^\d+ enough$/)
    expect(host.calls.size).toBe(0)
    instance.complete(Number.parseInt(body, 10), OUTCOME.DONE, 'late')
    expect(instance.failure).toBeNull()
    expect(ask(instance, { host: new FakeHost() }).body).toMatch(/enough$/)
  })

  test('a call of an earlier request settles nothing of a later one', async () => {
    const instance = await serving(`async (request) => {
      const { pathname } = new URL(request.url)
      const call = probe.hostAsync(7).then((got) => got, () => 'failed')
      if (pathname === '/first') return new Response('answered before')
      return new Response('second ' + await call)
    }`)
    const host = new FakeHost()
    expect(ask(instance, { host, path: '/first' }).body).toBe('answered before')
    const [old] = [...host.calls.keys()]
    const later = new FakeHost()
    expect(ask(instance, { host: later, path: '/second' }).state).toBe('PENDING')
    instance.complete(old!, OUTCOME.DONE, 'of the first')
    expect(takeAnswer(instance).state).toBe('PENDING')
    const [id] = [...later.calls.keys()]
    expect(id).not.toBe(old)
    instance.complete(id!, OUTCOME.DONE, 'of the second')
    expect(takeAnswer(instance).body).toBe('second of the second')
  })

  test('what user code overwrites neither sees the call nor hinders it', async () => {
    const instance = await serving(`async () => {
      const seen = []
      const trap = (owner, name) => Object.defineProperty(owner, name, {
        configurable: true,
        get() { seen.push(name); return undefined },
        set(value) { seen.push(name + '='); },
      })
      const then = Promise.prototype.then
      for (const name of ['0', '1', '2', '3', '4', 'resolve', 'reject', 'length']) trap(Object.prototype, name)
      trap(Array.prototype, '3')
      globalThis.Promise = class { constructor() { seen.push('Promise') } }
      const got = await probe.hostAsync(7, 'a')
      return new Response(got + ' ' + String(seen))
    }`)
    const host = new FakeHost()
    expect(ask(instance, { host }).state).toBe('PENDING')
    instance.complete([...host.calls.keys()][0]!, OUTCOME.DONE, 'done')
    expect(takeAnswer(instance).body).toBe('done ')
  })

  test('a result for which the guest has no memory ends the request', async () => {
    const instance = await serving(`async () => new Response(String(await probe.hostAsync(7)))`)
    const host = new FakeHost()
    ask(instance, { host })
    instance.complete([...host.calls.keys()][0]!, OUTCOME.DONE, new Uint8Array(64 << 20))
    expect(instance.failure).toBe('memory')
  })

  test('bytes to decode are read where they lie: the part that is meant, and undefined for what is wrong', async () => {
    const instance = await serving(`async () => {
      const bytes = new TextEncoder().encode('<<\\u{1F600}é\\0>>'), fatal = new TextDecoder('utf-8', { fatal: true })
      const out = [fatal.decode(bytes.subarray(2, 9)), new TextDecoder('latin1').decode(bytes.subarray(9)), new TextDecoder().decode(bytes.subarray(3, 4))]
      for (const wrong of [bytes.subarray(3), bytes.subarray(0, 3), new DataView(bytes.buffer, 3)])
        try { fatal.decode(wrong); out.push('nothing') } catch (error) { out.push(error.name) }
      return Response.json(out)
    }`)
    const { body } = ask(instance, { host: new FakeHost() })
    expect(JSON.parse(body)).toEqual(['\u{1F600}é\0', '>>', '\ufffd', 'TypeError', 'TypeError', 'TypeError'])
  })
})
