import { expect, it } from 'vitest'
import manifest from '../../package.json' with { type: 'json' }
import { LOG_CHARS_MAX, LOG_LEVEL, STATE } from '../../src/guest/ops.ts'
import { describeGuests } from './guests.ts'
import { head, runInGuest } from './sandbox.ts'

describeGuests('console', ({ open }) => {
  function logged(code: string): [number, string][] {
    const sandbox = open()
    runInGuest(sandbox, code)
    return sandbox.logs
  }

  it('has the levels', () => {
    expect(logged(`for (const m of ['debug', 'log', 'info', 'warn', 'error']) console[m](m)`)).toEqual([
      [LOG_LEVEL.DEBUG, 'debug'],
      [LOG_LEVEL.INFO, 'log'],
      [LOG_LEVEL.INFO, 'info'],
      [LOG_LEVEL.WARN, 'warn'],
      [LOG_LEVEL.ERROR, 'error'],
    ])
  })

  it.each([
    [
      `'%s is %d, %i, %f%% %o %c%j', 'x', 1.5, 1.5, '2', { a: 1 }, 'css', [1], 'more'`,
      'x is 1.5, 1, 2% { a: 1 } [1] more',
    ],
    [`'%s %s', 1`, '1 %s'],
    [`'%d', {}, 'x'`, 'NaN x'],
    [`1, 'two', null, undefined, true, 3n, -0, Symbol('s')`, '1 two null undefined true 3n -0 Symbol(s)'],
    [
      `{ a: 'x', 'b-c': [1, { d: 2 }], [Symbol('e')]: null }`,
      '{ a: "x", "b-c": [1, { d: 2 }], [Symbol(e)]: null }',
    ],
    [`{}, [], new Map([[1, { a: 1 }]]), new Set(['x'])`, '{} [] Map(1) { 1 => { a: 1 } } Set(1) { "x" }'],
    [
      `new (class Point { x = 1 }), Object.create(null), function f() {}, class A {}`,
      'Point { x: 1 } [no prototype] {} [Function f] [Function A]',
    ],
    [
      `new Uint8Array([1, 2]), new ArrayBuffer(3), new Date(0), new Date(NaN), /a/g, Promise.resolve()`,
      'Uint8Array(2) [1, 2] ArrayBuffer(3) 1970-01-01T00:00:00.000Z Invalid Date /a/g Promise {}',
    ],
    [`{ get a() { throw 1 } }`, '{ a: [Getter] }'],
    [`(() => { const a = { b: {} }; a.b.c = a; return a })()`, '{ b: { c: [Circular] } }'],
    [`{ a: { b: { c: { d: { e: 1 } } } } }`, '{ a: { b: { c: { d: [Object] } } } }'],
    [`new Proxy({}, { ownKeys() { throw 1 } })`, '[unreadable]'],
    [`Array.from({ length: 102 }, () => 0)`, `[${'0, '.repeat(100)}… 2 more]`],
    [`'a\\0b\\ud800'`, 'a\ufffdb\ufffd'],
  ])('shows %s', (args, text) => {
    expect(logged(`console.log(${args})`)).toEqual([[LOG_LEVEL.INFO, text]])
  })

  it('shows errors with stack and cause', () => {
    const [[, text]] = logged(`console.error(new TypeError('t', { cause: new RangeError('r') }))`) as [
      [number, string],
    ]
    expect(text).toMatch(/^TypeError: t\n[\s\S]*function\.js[\s\S]*\n\[cause\]: RangeError: r/)
  })

  it.each([
    [
      `[{ a: 1, b: 'x' }, { a: 2, c: null }]`,
      [
        '| (index) | a | b   | c    |',
        '| ------- | - | --- | ---- |',
        '| 0       | 1 | "x" |      |',
        '| 1       | 2 |     | null |',
      ],
    ],
    [
      `{ r: { a: 1, b: 2 }, s: 3 }, ['b']`,
      [
        '| (index) | b | Values |',
        '| ------- | - | ------ |',
        '| r       | 2 |        |',
        '| s       |   | 3      |',
      ],
    ],
    [
      `new Map([['k', 1]])`,
      ['| (index) | Key | Values |', '| ------- | --- | ------ |', '| 0       | "k" | 1      |'],
    ],
    [
      `new Set([{ get a() { throw 1 } }])`,
      ['| (index) | a         |', '| ------- | --------- |', '| 0       | undefined |'],
    ],
    [`7`, ['7']],
    [`[]`, ['[]']],
  ])('shows the table of %s', (args, lines) => {
    expect(logged(`console.table(${args})`).map(([, text]) => text)).toEqual(lines)
  })

  it('bounds what it sends', () => {
    for (const value of [
      `'x'.repeat(1e5)`,
      `Array.from({ length: 100 }, () => 'y'.repeat(1e4))`,
      `{ a: 'x'.repeat(1e6) }`,
    ]) {
      const [[, text]] = logged(`console.log(${value})`) as [[number, string]]
      expect(text.length).toBeLessThanOrEqual(LOG_CHARS_MAX)
    }
    expect(
      logged(
        `const deep = {}; let d = deep; for (let i = 0; i < 1e4; i++) d = d.d = {}; console.log(deep)`,
      )[0]![1],
    ).toMatch(/\[Object\]/)
  })

  it('counts, times, groups and asserts', () => {
    const lines = logged(`
      console.count(); console.count('a'); console.count(); console.countReset(); console.count()
      console.time(); console.timeLog(); console.timeEnd(); console.timeEnd()
      console.group('g'); console.info('in'); console.groupEnd(); console.groupEnd(); console.info('out')
      console.assert(true, 'no'); console.assert(false); console.assert(0, 'a %s', 1); console.assert(0, { a: 1 })
      console.dir({ a: 1 }); console.table([1]); console.trace('here')`)
    expect(lines.map(([, text]) => text.split('\n')[0])).toEqual([
      'default: 1',
      'a: 1',
      'default: 2',
      'default: 1',
      'default: 1.000 ms',
      'default: 2.000 ms',
      'g',
      '  in',
      'out',
      'Assertion failed',
      'Assertion failed: a 1',
      'Assertion failed { a: 1 }',
      '{ a: 1 }',
      '| (index) | Values |',
      '| ------- | ------ |',
      '| 0       | 1      |',
      'Trace: here',
    ])
  })
})

describeGuests('timers', ({ open, value }) => {
  it('fire with their arguments, in the order the host wants', () => {
    const sandbox = open()
    sandbox.load(`exports.default = () => new Promise((ok) => {
      const seen = []
      setTimeout((...a) => seen.push(a), 20, 1, 2)
      const id = setInterval(() => { if (seen.push('tick') > 3) { clearInterval(id); ok(Response.json(seen)) } }, -5)
      clearTimeout(setTimeout(() => seen.push('never'), 1)); clearTimeout(999); clearTimeout()
    })`)
    expect(sandbox.invoke(head()).state).toBe(STATE.PENDING)
    expect([...sandbox.timers.values()]).toEqual([
      { delayMs: 20, repeat: false },
      { delayMs: 0, repeat: true },
    ])
    sandbox.fireAll()
    sandbox.fireAll()
    sandbox.fireAll()
    expect(sandbox.settle().body).toBe('[[1,2],"tick","tick","tick"]')
    expect(sandbox.timers.size).toBe(0)
  })

  it('send what their callback throws to the log', () => {
    const sandbox = open()
    sandbox.load(`exports.default = () => {
      setTimeout(() => { throw new RangeError('in a timer') }); setTimeout(() => { throw null })
      queueMicrotask(() => { throw new Error('in a microtask') }); return new Response() }`)
    sandbox.invoke(head())
    sandbox.jobs()
    sandbox.fireAll()
    expect(sandbox.logs.map(([level, text]) => [level, text.split('\n')[0]])).toEqual([
      [LOG_LEVEL.ERROR, 'microtask: Error: in a microtask'],
      [LOG_LEVEL.ERROR, 'timer: RangeError: in a timer'],
      [LOG_LEVEL.ERROR, 'timer: Error: thrown: null'],
    ])
  })

  it('take functions only, and any delay', () => {
    expect(
      value(
        `[() => setTimeout('x'), () => setInterval(), () => queueMicrotask(1)].map((f) => { try { f() } catch (e) { return e.name } })`,
      ),
    ).toEqual(['TypeError', 'TypeError', 'TypeError'])
    const sandbox = open()
    runInGuest(sandbox, `for (const d of [NaN, Infinity, 2 ** 40, '7', undefined]) setTimeout(() => {}, d)`)
    expect([...sandbox.timers.values()].map(({ delayMs }) => delayMs)).toEqual([0, 0, 0, 7, 0])
  })
})

describeGuests('the other globals', ({ run, value }) => {
  it('give random values', () => {
    expect(
      run(`const a = crypto.getRandomValues(new Uint32Array(8)), b = crypto.getRandomValues(new Uint32Array(8)), id = crypto.randomUUID()
        return [a.length, a.join() !== b.join(), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(id), id !== crypto.randomUUID(),
          crypto.getRandomValues(new Uint8Array(0)).length]`),
    ).toEqual([8, true, true, true, 0])
    expect(
      value(
        `[new Float32Array(1), new DataView(new ArrayBuffer(1)), {}, new Uint8Array(65537)].map((v) => { try { crypto.getRandomValues(v) } catch (e) { return e.name } })`,
      ),
    ).toEqual(['TypeMismatchError', 'TypeMismatchError', 'TypeError', 'QuotaExceededError'])
  })

  it('fill only what the view covers', () => {
    expect(
      run(
        `const b = new Uint8Array(64); crypto.getRandomValues(b.subarray(16, 48)); return [b.slice(0, 16).some(Boolean), b.slice(16, 48).some(Boolean), b.slice(48).some(Boolean)]`,
      ),
    ).toEqual([false, true, false])
  })

  it('are there, under their names', () => {
    expect(
      value(`[self === globalThis, navigator.userAgent, performance.now() < performance.now(), typeof performance.timeOrigin,
        [DOMException, Headers, Request, Response, TextDecoder, TextEncoder, URL, URLSearchParams].map((c) => c.name).join(),
        Object.keys(globalThis).includes('Response'), Object.keys(globalThis).includes('fetch')]`),
    ).toEqual([
      true,
      `ringlet/${manifest.version}`,
      true,
      'number',
      'DOMException,Headers,Request,Response,TextDecoder,TextEncoder,URL,URLSearchParams',
      false,
      true,
    ])
  })

  it('have an error in DOMException, with the interface of its own class', () => {
    expect(
      run(`const e = new DOMException('m', 'AbortError'); class Mine extends DOMException { x = 1 } const m = new Mine('n')
        const own = (f) => { try { f() } catch (x) { return x.name } }
        return [Object.getPrototypeOf(DOMException) === Function.prototype, e instanceof Error, Error.isError(e), Object.keys(e), Object.hasOwn(e, 'message'), e.stack.includes('function.js'), e.stack.includes('DOMException'),
          m instanceof Mine, m instanceof DOMException, m.message, m.x, own(() => DOMException('m')), own(() => DOMException.prototype.name), DOMException.VALIDATION_ERR, DOMException.INUSE_ATTRIBUTE_ERR, DOMException.length]`),
    ).toEqual([
      true,
      true,
      true,
      [],
      false,
      true,
      false,
      true,
      true,
      'n',
      1,
      'TypeError',
      'TypeError',
      16,
      10,
      0,
    ])
  })

  it('have DOMException with its codes', () => {
    expect(
      value(`[new DOMException('m', 'AbortError'), new DOMException(), new DOMException('m', 'Mine')].map((e) => [e.name, e.message, e.code])
        .concat([[DOMException.ABORT_ERR, DOMException.DATA_CLONE_ERR, new DOMException().URL_MISMATCH_ERR, DOMException.INDEX_SIZE_ERR], [String(new DOMException('m', 'N'))]])`),
    ).toEqual([['AbortError', 'm', 20], ['Error', '', 0], ['Mine', 'm', 0], [20, 25, 21, 1], ['N: m']])
  })
})
