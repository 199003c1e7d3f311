import { describe, expect, it } from 'vitest'
import { FAILURE_CHARS_MAX, FLAG, LOG_LEVEL, STATE, WORD } from '../../src/guest/ops.ts'
import { describeGuests } from './guests.ts'
import { head, type Sandbox } from './sandbox.ts'

describeGuests('the protocol', ({ open }) => {
  function sandboxWith(source: string): Sandbox {
    const sandbox = open()
    sandbox.load(source)
    return sandbox
  }

  function answerOf(handler: string, requestHead = head(), body?: string | Uint8Array) {
    return sandboxWith(`exports.default = ${handler}`).invoke(requestHead, body)
  }

  describe('handlers', () => {
    it.each([
      ['default.fetch', `exports.default = { word: 'hi', fetch() { return Response.text(this.word) } }`],
      [
        'a default class instance',
        `exports.default = new (class { #w = 'hi'; fetch() { return Response.text(this.#w) } })()`,
      ],
      ['a default function', `exports.default = () => Response.text('hi')`],
      ['an exported fetch', `exports.fetch = () => Response.text('hi')`],
      ['an exported handler', `exports.handler = () => Response.text('hi')`],
      ['module.exports as a function', `module.exports = () => Response.text('hi')`],
      ['module.exports as an object', `module.exports = { fetch: () => Response.text('hi') }`],
    ])('accepts %s', (_, source) => {
      expect(sandboxWith(source).invoke(head())).toMatchObject({ state: STATE.TEXT, status: 200, body: 'hi' })
    })

    it('refuses a module without one', () => {
      expect(() => sandboxWith('exports.x = 1')).toThrow(/exports no handler/)
      expect(() => sandboxWith('exports.default = { fetch: 1 }')).toThrow(/exports no handler/)
    })

    it('refuses require at run time', () => {
      expect(() => sandboxWith(`require('fs')`)).toThrow(/cannot load "fs"/)
    })

    it('passes on what the top-level code throws', () => {
      expect(() => sandboxWith(`throw new RangeError('at the top')`)).toThrow(/at the top/)
    })

    it('keeps its own names out of the realm', () => {
      const sandbox = sandboxWith(`exports.default = () => Response.json([typeof __host, typeof __ringlet])`)
      expect(sandbox.invoke(head()).body).toBe('["undefined","undefined"]')
    })

    it('gives a plain function no this, and every request a ctx of its own', () => {
      const sandbox = sandboxWith(`'use strict'; let last; exports.default = function (q, e, ctx) {
        const same = last === ctx; last = ctx
        return Response.json([this === undefined, same, typeof ctx.waitUntil, ctx.passThroughOnException() === undefined])
      }`)
      expect(sandbox.invoke(head()).body).toBe('[true,false,"function",true]')
      expect(sandbox.invoke(head()).body).toBe('[true,false,"function",true]')
    })
  })

  describe('answers', () => {
    it.each([
      ['json', `Response.json({ hello: 'world' })`, 200, 'application/json', '{"hello":"world"}'],
      ['json with a status', `Response.json([1], { status: 201 })`, 201, 'application/json', '[1]'],
      ['text', `new Response('é')`, 200, 'text/plain;charset=UTF-8', 'é'],
      ['an empty text', `new Response('')`, 200, 'text/plain;charset=UTF-8', ''],
      ['html', `Response.html('<p>')`, 200, 'text/html;charset=UTF-8', '<p>'],
      [
        'a known type by headers',
        `new Response('x', { headers: { 'Content-Type': 'application/json' } })`,
        200,
        'application/json',
        'x',
      ],
      [
        'fields',
        `Response.json(1, { headers: { 'X-A': 'b' } })`,
        200,
        'x-a: b\r\ncontent-type: application/json\r\n',
        '1',
      ],
      [
        'latin1 fields',
        `new Response('ü', { headers: { 'x-a': 'é\\xff' } })`,
        200,
        'x-a: éÿ\r\ncontent-type: text/plain;charset=UTF-8\r\n',
        'ü',
      ],
      [
        'fields without body text',
        `new Response('', { headers: { 'content-type': 'a/b' } })`,
        200,
        'content-type: a/b\r\n',
        '',
      ],
    ])('%s as text', (_, expression, status, fields, body) => {
      expect(answerOf(`() => ${expression}`)).toMatchObject({ state: STATE.TEXT, status, head: fields, body })
    })

    it('hands over bytes', () => {
      const answer = answerOf(`() => new Response(new Uint8Array([9, 0, 255, 7]).subarray(1, 3))`)
      expect(answer).toMatchObject({ state: STATE.BYTES, head: '', bytes: Uint8Array.of(0, 255) })
    })

    it('hands over bytes with fields', () => {
      const answer = answerOf(`() => new Response(new Uint8Array(2).buffer, { headers: { 'x-a': 'b' } })`)
      expect(answer).toMatchObject({ state: STATE.BYTES, head: 'x-a: b\r\n', bytes: new Uint8Array(2) })
    })

    it.each(['204', '205', '304'])('has no body for %s', (status) => {
      expect(answerOf(`() => new Response(null, { status: ${status} })`)).toMatchObject({
        state: STATE.EMPTY,
        status: Number(status),
        head: '',
      })
    })

    it('takes the fields of an answer without body', () => {
      const answer = answerOf(`() => Response.redirect('http://a.test/b', 301)`)
      expect(answer).toMatchObject({ state: STATE.EMPTY, status: 301, head: 'location: http://a.test/b\r\n' })
    })

    it('sends a text with NUL as bytes, its fields beside', () => {
      const answer = answerOf(`() => new Response('a\\0é', { headers: { 'x-a': 'b' } })`)
      expect(answer.state).toBe(STATE.BYTES)
      expect(answer.head).toBe('x-a: b\r\ncontent-type: text/plain;charset=UTF-8\r\n')
      expect(Buffer.from(answer.bytes!).toString()).toBe('a\0é')
    })

    it('sends a text with NUL and a lone surrogate as valid UTF-8', () => {
      const answer = answerOf(`() => new Response('\\0\\ud800!')`)
      expect(Buffer.from(answer.bytes!)).toEqual(Buffer.from('\0\ufffd!'))
    })

    it('hands over a text with a lone surrogate without failing', () => {
      const answer = answerOf(`() => new Response('a\\udc00b')`)
      expect(answer.state).toBe(STATE.TEXT)
      expect(answer.body).toMatch(/^a.*b$/)
    })

    it('leaves no fields behind for the next answer', () => {
      const sandbox = sandboxWith(`let n = 0; exports.default = () => n++ === 0
        ? new Response(new Uint8Array(1), { headers: { 'x-a': 'b' } }) : new Response(new Uint8Array(1))`)
      expect(sandbox.invoke(head()).head).toBe('x-a: b\r\n')
      expect(sandbox.invoke(head()).head).toBe('')
    })

    it('answers with the same response again and again', () => {
      const sandbox = sandboxWith(`const once = new Response('x'); exports.default = () => once`)
      expect(sandbox.invoke(head()).body).toBe('x')
      expect(sandbox.invoke(head()).body).toBe('x')
    })
  })

  describe('asynchronous handlers', () => {
    it.each([
      ['an async function', `async () => Response.text('x')`],
      [
        'a promise that is resolved later',
        `() => new Promise((ok) => setTimeout(() => ok(Response.text('x')), 5))`,
      ],
      ['a thenable', `() => ({ then(ok) { ok(Response.text('x')) } })`],
      ['a promise of another class', `() => (class P extends Promise {}).resolve(Response.text('x'))`],
      [
        'a promise with a false then',
        `() => { const p = Promise.resolve(Response.text('x')); p.then = () => { throw 1 }; return p }`,
      ],
    ])('%s', (_, handler) => {
      const sandbox = sandboxWith(`exports.default = ${handler}`)
      let answer = sandbox.invoke(head())
      if (answer.state === STATE.PENDING) {
        sandbox.fireAll()
        answer = sandbox.settle()
      }
      expect(answer).toMatchObject({ state: STATE.TEXT, body: 'x' })
    })

    it('answers a thenable that calls back twice once, and not in the next request', () => {
      const sandbox = sandboxWith(`let keep; exports.default = (request) => {
        if (new URL(request.url).pathname === '/first') return { then(ok) { keep = ok; ok(Response.text('first')) } }
        keep(Response.text('stolen'))
        return new Promise((ok) => setTimeout(() => ok(Response.text('second'))))
      }`)
      expect(sandbox.invoke(head('GET', '/first')).body).toBe('first')
      expect(sandbox.invoke(head('GET', '/second')).state).toBe(STATE.PENDING)
      sandbox.fireAll()
      expect(sandbox.settle().body).toBe('second')
    })

    const spoiled = (promise: string) => `() => {
        const promise = ${promise}
        promise.constructor = { [Symbol.species]: 1 }
        return promise
      }`

    it('takes the answer of a promise that is settled, whatever its then would do', () => {
      expect(answerOf(spoiled(`Promise.resolve(Response.text('x'))`)).body).toBe('x')
      expect(answerOf(spoiled(`Promise.reject(new RangeError('x'))`)).body).toMatch(/^RangeError\nx/)
    })

    it('fails cleanly for a promise that cannot be awaited', () => {
      const answer = answerOf(spoiled('new Promise(() => {})'))
      expect(answer.state).toBe(STATE.FAILED)
      expect(answer.body).toMatch(/^TypeError\n/)
    })

    it('refuses an invocation while one is pending', () => {
      const sandbox = sandboxWith(`exports.default = () => new Promise(() => {})`)
      expect(sandbox.invoke(head()).state).toBe(STATE.PENDING)
      expect(() => sandbox.invoke(head())).toThrow(/has not been answered/)
    })

    it('forgets an answer that was taken', () => {
      const sandbox = sandboxWith(`exports.default = async () => new Response(new Uint8Array([1]))`)
      expect(sandbox.invoke(head()).bytes).toEqual(Uint8Array.of(1))
      expect(() => sandbox.settle()).toThrow()
    })

    it('counts what waitUntil waits for, and logs what it rejects with', () => {
      const sandbox = sandboxWith(`exports.default = (q, e, ctx) => {
        ctx.waitUntil(new Promise((ok) => setTimeout(ok, 5)))
        ctx.waitUntil(new Promise((_, no) => setTimeout(() => no(new TypeError('late')), 9)))
        ctx.waitUntil('not a promise')
        return Response.text('x')
      }`)
      expect(sandbox.invoke(head()).body).toBe('x')
      expect(sandbox.word(WORD.WAITING)).toBe(3)
      sandbox.jobs()
      expect(sandbox.word(WORD.WAITING)).toBe(2)
      sandbox.fireAll()
      expect(sandbox.word(WORD.WAITING)).toBe(0)
      expect(sandbox.logs).toHaveLength(1)
      expect(sandbox.logs[0]![0]).toBe(LOG_LEVEL.ERROR)
      expect(sandbox.logs[0]![1]).toMatch(/^waitUntil: TypeError: late\n.*function\.js/)
    })
  })

  describe('failures', () => {
    it('describes an error by name, message and stack', () => {
      const { state, body } = answerOf(`() => { throw new RangeError('too\\nfar') }`)
      expect(state).toBe(STATE.FAILED)
      const [name, message, ...stack] = body.split('\n')
      expect([name, message]).toEqual(['RangeError', 'too far'])
      expect(stack.join('\n')).toMatch(/function\.js:1/)
    })

    it('names the causes', () => {
      expect(answerOf(`() => { throw new Error('a', { cause: new TypeError('b') }) }`).body).toMatch(
        /Caused by TypeError: b/,
      )
    })

    it.each([
      ['a number', '7', 'undefined', /number instead of a Response/],
      ['undefined', 'undefined', '', /undefined instead/],
      ['null', 'null', '', /null instead/],
      ['an object', '({})', '', /an object instead/],
      ['a function', '(() => 1)', '', /function instead/],
      ['a look-alike', '({ __proto__: Response.prototype })', '', /an object instead/],
      ['a proxy', 'new Proxy(new Response(""), {})', '', /an object instead/],
    ])('a handler that returns %s', (_, value, __, message) => {
      for (const handler of [`() => ${value}`, `async () => ${value}`]) {
        const answer = answerOf(handler)
        expect(answer.state).toBe(STATE.FAILED)
        expect(answer.body).toMatch(/^TypeError\nthe handler returned /)
        expect(answer.body).toMatch(message)
      }
    })

    it('a handler that returns a response already read, or an error', () => {
      expect(answerOf(`async () => { const r = new Response('x'); await r.text(); return r }`).body).toMatch(
        /already been read/,
      )
      expect(answerOf(`() => Response.error()`).body).toMatch(/returned Response\.error\(\)/)
    })

    it.each([
      ['null', 'null', /thrown: null/],
      ['undefined', 'undefined', /thrown: undefined/],
      ['a string with a NUL', '"a\\0b\\nc"', /thrown: a\ufffdb c/],
      ['a symbol', 'Symbol("s")', /thrown: Symbol\(s\)/],
      ['a bigint', '10n', /thrown: 10/],
      ['a function', '(() => 1)', /^Error\n/],
      ['an object without a prototype', 'Object.create(null)', /^Error\n\n/],
      [
        'throwing getters',
        '({ get name() { throw 1 }, get message() { throw 2 }, get stack() { throw 3 }, get cause() { throw 4 } })',
        /^Error\n\n/,
      ],
      ['members of wrong types', '({ name: 1, message: {}, stack: Symbol(), cause: 5 })', /^Error\n\n/],
      ['a proxy with throwing traps', 'new Proxy({}, { get() { throw new Error("trap") } })', /^Error\n\n/],
      [
        'a revoked proxy',
        '(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy })()',
        /^Error\n\n/,
      ],
      ['its own cause', '(() => { const e = new Error("x"); e.cause = e; return e })()', /^Error\nx\n/],
      ['a lone surrogate', 'new Error("\\ud800")', /^Error\n\ufffd\n/],
    ])('a handler that throws %s', (_, value, expected) => {
      for (const handler of [
        `() => { throw ${value} }`,
        `async () => { throw ${value} }`,
        `() => Promise.reject(${value})`,
      ]) {
        const answer = answerOf(handler)
        expect(answer.state).toBe(STATE.FAILED)
        expect(answer.body).toMatch(expected)
      }
    })

    it('cuts what is long', () => {
      const { body } = answerOf(
        `() => { throw Object.assign(new Error('m'.repeat(1e5)), { name: 'n'.repeat(1e5), stack: 's'.repeat(1e5) }) }`,
      )
      expect(body.length).toBeLessThanOrEqual(3 * FAILURE_CHARS_MAX + 2)
    })

    it('survives an exhausted stack', () => {
      const sandbox = sandboxWith(
        `let n = 0; exports.default = () => { if (n++) return Response.text('alive'); (function f() { f() })() }`,
      )
      expect(sandbox.invoke(head()).state).toBe(STATE.FAILED)
      expect(sandbox.invoke(head()).body).toBe('alive')
    })
  })

  describe('a realm that user code has broken', () => {
    const sabotage = `
      const no = () => { throw new Error('sabotage') }
      for (const proto of [String.prototype, Array.prototype, Promise.prototype, Function.prototype, RegExp.prototype, ArrayBuffer.prototype, Map.prototype]) {
        for (const key of Object.getOwnPropertyNames(proto)) if (key !== 'constructor' && key !== 'length') {
          try { Object.defineProperty(proto, key, { value: no, configurable: true, writable: true }) } catch {}
        }
      }
      JSON.stringify = JSON.parse = String = Promise.resolve = Reflect.apply = no
    `

    it.each([
      ['json', `() => { ${sabotage}; return Response.json({ a: 1 }) }`, '{"a":1}'],
      ['text', `() => { ${sabotage}; return new Response('x') }`, 'x'],
      ['an async answer', `async () => { ${sabotage}; return new Response('x') }`, 'x'],
      [
        'fields',
        `() => { const r = new Response('x', { headers: { a: 'b' } }); ${sabotage}; return r }`,
        'x',
      ],
    ])('still hands over %s', (_, handler, body) => {
      expect(answerOf(handler)).toMatchObject({ state: STATE.TEXT, body })
    })

    it('still hands over a NUL', () => {
      const answer = answerOf(`() => { ${sabotage}; return new Response('a\\0b') }`)
      expect(answer).toMatchObject({ state: STATE.BYTES, bytes: Uint8Array.of(97, 0, 98) })
    })

    it('still describes a failure', () => {
      const answer = answerOf(`() => { ${sabotage}; throw new TypeError('x') }`)
      expect(answer.state).toBe(STATE.FAILED)
      expect(answer.body).toMatch(/^TypeError\nx\n/)
    })

    it('is not fooled by false prototypes of a response', () => {
      const answer = answerOf(`() => {
        Object.defineProperty(Response.prototype, 'status', { get() { throw 1 } })
        Object.defineProperty(Headers.prototype, 'entries', { value() { throw 1 } })
        return Response.json({ a: 1 }, { status: 202, headers: { b: 'c' } })
      }`)
      expect(answer).toMatchObject({ state: STATE.TEXT, status: 202, body: '{"a":1}' })
    })
  })

  describe('env and top-level code', () => {
    it('asks for env at the first invocation only', () => {
      const sandbox = sandboxWith(`exports.default = (q, env) => Response.json(env)`)
      sandbox.env = '{"KEY":"v\\u0000"}'
      expect(sandbox.invoke(head(), undefined, FLAG.HAS_ENV).body).toBe('{"KEY":"v\\u0000"}')
      sandbox.env = '{"KEY":"other"}'
      expect(sandbox.invoke(head(), undefined, FLAG.HAS_ENV).body).toBe('{"KEY":"v\\u0000"}')
    })

    it('gives an empty env otherwise', () => {
      expect(answerOf(`(q, env) => Response.json(env)`).body).toBe('{}')
    })

    it.each([
      ['setTimeout', 'setTimeout(() => {}, 1)'],
      ['setInterval', 'setInterval(() => {}, 1)'],
      ['crypto.randomUUID', 'crypto.randomUUID()'],
      ['crypto.getRandomValues', 'crypto.getRandomValues(new Uint8Array(1))'],
    ])('refuses %s at the top level', (name, code) => {
      expect(() => sandboxWith(code)).toThrow(`${name} cannot be used in top-level code`)
    })

    it('lets the top level log, parse and encode', () => {
      const sandbox = sandboxWith(
        `console.log(new URL('http://a/b').href, new TextEncoder().encode('x').length); exports.default = () => 1`,
      )
      expect(sandbox.logs).toEqual([[LOG_LEVEL.INFO, 'http://a/b 1']])
    })
  })
})
