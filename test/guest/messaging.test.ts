import { expect, it } from 'vitest'
import { STATE } from '../../src/guest/ops.ts'
import { describeGuests } from './guests.ts'
import { head, type Sandbox } from './sandbox.ts'

describeGuests('structuredClone', ({ run, value }) => {
  it.each([
    [`undefined`],
    [`null`],
    [`-0`],
    [`'\\0\\ud800'`],
    [`10n ** 30n`],
    [`new Boolean(false)`],
    [`new Number(NaN)`],
    [`new String('x')`],
    [`Object(7n)`],
    [`new Date(7)`],
    [`new Date(NaN)`],
    [`/a(?<b>c)/giu`],
    [`[1, , 3]`],
    [`Object.assign([1], { x: 2 })`],
    [`{ a: { b: [new Map([[{ k: 1 }, new Set(['v'])]])] }, ['__proto__']: 1 }`],
    [`new Uint8Array([1, 2, 3]).subarray(1)`],
    [`new BigInt64Array([5n])`],
    [`new DataView(new ArrayBuffer(8), 2, 4)`],
    [`new TypeError('t', { cause: new RangeError('r') })`],
    [`Object.assign(new Error('m'), { name: 'Mine' })`],
    [`new DOMException('m', 'AbortError')`],
    [`new ArrayBuffer(4, { maxByteLength: 8 })`],
  ])('copies %s', (expression) => {
    // What a value is, by everything that can be seen of it.
    const shape = `const seen = new Map(); const shape = (v) => {
      if (Object.is(v, -0)) return '-0'
      if (typeof v === 'bigint') return v + 'n'
      if ((typeof v !== 'object' && typeof v !== 'function') || v === null) return [typeof v, v === undefined || v === null ? 0 : typeof v === 'string' ? [...Array(v.length).keys()].map((i) => v.charCodeAt(i)) : String(v)]
      if (seen.has(v)) return seen.get(v); seen.set(v, 'object ' + seen.size)
      const inner = v instanceof Map ? [...v].map(([k, x]) => [shape(k), shape(x)]) : v instanceof Set ? [...v].map(shape)
        : ArrayBuffer.isView(v) ? [v.byteOffset, v.byteLength, shape(v.buffer)] : v instanceof ArrayBuffer ? [v.byteLength, v.maxByteLength, [...new Uint8Array(v)]]
        : v instanceof RegExp ? String(v) : v instanceof Date ? v.getTime() : v instanceof Error || v instanceof DOMException ? [v.name, v.message, v.stack]
        : v instanceof String || v instanceof Number || v instanceof Boolean || v instanceof BigInt ? shape(v.valueOf()) : null
      return [Object.prototype.toString.call(v), v.constructor?.name, inner, Object.getOwnPropertyNames(v).filter((k) => k !== 'name' && k !== 'stack' && !/^\\d+$/.test(k) || Array.isArray(v)).map((k) => [k, shape(v[k])])] }`
    const [before, after, isSame, isObject] = run(
      `${shape}; const value = ${expression}; const copy = structuredClone(value); const a = shape(value); seen.clear(); return [a, shape(copy), value === copy, typeof value === 'object' && value !== null]`,
    ) as [unknown, unknown, boolean, boolean]
    if (expression.includes(`'Mine'`)) expect(JSON.stringify(after)).toContain('"Error","m"')
    else expect(after).toEqual(before)
    if (isObject) expect(isSame).toBe(false)
  })

  it('keeps what is the same the same, cycles included', () => {
    expect(
      run(`const a = { list: [] }; a.self = a; a.list.push(a, a.list); const m = new Map(); m.set(m, m); a.m = m; const b = new Uint8Array(4); a.views = [b, new Uint16Array(b.buffer)]
        const c = structuredClone(a); return [c.self === c, c.list[0] === c, c.list[1] === c.list, c.m.get(c.m) === c.m, c.views[0].buffer === c.views[1].buffer, c !== a]`),
    ).toEqual([true, true, true, true, true, true])
  })

  it('reads getters once, leaves out what is not enumerable or a symbol, and loses the class', () => {
    expect(
      run(`class Point { x = 1; get y() { return 2 } } let n = 0; const o = { get a() { return ++n }, [Symbol('s')]: 1 }; Object.defineProperty(o, 'hidden', { value: 1 })
        const p = structuredClone(new Point()), c = structuredClone(o); return [Object.keys(p), p.constructor === Object, Reflect.ownKeys(c), c.a, n]`),
    ).toEqual([['x'], true, ['a'], 1, 1])
  })

  it.each([
    '() => {}',
    `Symbol('x')`,
    `Object(Symbol('x'))`,
    'Promise.resolve()',
    'new WeakMap()',
    'new WeakSet()',
    'new WeakRef({})',
    '(function* () {})()',
    '[].values()',
    'new URL("http://a/")',
    'new URLSearchParams()',
    'new Headers()',
    'new Request("http://a/")',
    'new Response()',
    'new Event("x")',
    'new AbortController().signal',
    'new EventTarget()',
    'performance',
    'crypto',
    'new MessageChannel().port1',
    'new ReadableStream()',
    'new SharedArrayBuffer(1)',
    '{ deep: [{ f() {} }] }',
  ])('refuses %s', (expression) => {
    expect(
      run(
        `try { structuredClone(${expression}) } catch (e) { return [e.name, e.code, e instanceof DOMException] }`,
      ),
    ).toEqual(['DataCloneError', 25, true])
  })

  it('throws what a getter throws, and wants an argument', () => {
    expect(
      value(
        `[() => structuredClone({ get a() { throw 7 } }), () => structuredClone(), () => structuredClone(1, 2), () => structuredClone(1, { transfer: 3 }), () => structuredClone(1, { transfer: [3] })].map((f) => { try { f() } catch (e) { return e.name ?? e } })`,
      ),
    ).toEqual([7, 'TypeError', 'TypeError', 'TypeError', 'TypeError'])
  })

  it('transfers buffers, but nothing if it fails', () => {
    expect(
      run(`const b = new Uint8Array([1, 2, 3]).buffer, v = new Uint8Array(b, 1), c = structuredClone({ b, v }, { transfer: [b] }), seen = [b.byteLength, c.b.byteLength, c.v.buffer === c.b, [...c.v]]
        const d = new ArrayBuffer(2); for (const f of [() => structuredClone({ d, f() {} }, { transfer: [d] }), () => structuredClone(1, { transfer: [d, d] }), () => structuredClone(1, { transfer: [d, b] }), () => structuredClone(1, { transfer: [{}] }), () => structuredClone(b)])
          try { f(); seen.push('none') } catch (e) { seen.push(e.name, d.byteLength) }
        return seen`),
    ).toEqual([0, 3, true, [2, 3], ...Array(5).fill(['DataCloneError', 2]).flat()])
  })

  it('transfers streams', () => {
    expect(
      run(`const r = new ReadableStream({ start(c) { c.enqueue({ a: 1 }); c.close() } }), s = structuredClone({ r }, { transfer: [r] }).r, reader = s.getReader()
        let refused; try { structuredClone(r, { transfer: [r] }) } catch (e) { refused = e.name }
        return [r.locked, (await reader.read()).value, (await reader.read()).done, refused]`),
    ).toEqual([true, { a: 1 }, true, 'DataCloneError'])
  })
})

/** An async handler's inside, its timers fired until there is an answer. */
function runWithTimers(sandbox: Sandbox, body: string): unknown {
  sandbox.load(`exports.default = async () => Response.json({ value: await (async () => {${body}})() })`)
  let answer = sandbox.invoke(head())
  for (let i = 0; i < 100 && answer.state === STATE.PENDING; i++) {
    sandbox.fireAll()
    answer = sandbox.settle()
  }
  if (answer.state !== STATE.TEXT) throw new Error(`state ${answer.state}: ${answer.body}`)
  return (JSON.parse(answer.body) as { value: unknown }).value
}

describeGuests('MessageChannel', ({ open }) => {
  it('delivers clones in order, each as a task of its own', () => {
    expect(
      runWithTimers(
        open(),
        `const { port1, port2 } = new MessageChannel(), seen = [], message = { n: 1 }
        return new Promise((ok) => {
          port2.onmessage = (e) => { seen.push(e.data.n ?? e.data, e.data === message, e.ports.length, e.isTrusted, e.target === port2, e instanceof MessageEvent); Promise.resolve().then(() => seen.push('job')); if (e.data === 'end') ok(seen) }
          port1.postMessage(message); message.n = 2; port1.postMessage('end'); seen.push('posted')
        })`,
      ),
    ).toEqual(['posted', 1, false, 0, true, true, true, 'job', 'end', false, 0, true, true, true, 'job'])
  })

  it('waits for start, and ends with close', () => {
    expect(
      runWithTimers(
        open(),
        `const { port1, port2 } = new MessageChannel(), seen = []; port2.addEventListener('message', (e) => seen.push(e.data)); port1.postMessage(1)
        await new Promise((ok) => setTimeout(ok)); seen.push('quiet'); port2.start(); await new Promise((ok) => setTimeout(ok, 1)); await new Promise((ok) => setTimeout(ok, 1))
        port1.postMessage(2); port1.close(); port1.postMessage(3); await new Promise((ok) => setTimeout(ok, 1)); await new Promise((ok) => setTimeout(ok, 1)); return seen`,
      ),
    ).toEqual(['quiet', 1, 2])
  })

  it('transfers ports, with what waits in them, and buffers', () => {
    expect(
      runWithTimers(
        open(),
        `const a = new MessageChannel(), b = new MessageChannel(), buffer = new ArrayBuffer(3)
        b.port1.postMessage('waiting')
        return new Promise((ok) => {
          a.port2.onmessage = ({ data, ports }) => {
            const seen = [data.port === ports[0], data.port !== b.port2, data.buffer.byteLength, buffer.byteLength]
            data.port.onmessage = (e) => { seen.push(e.data); if (e.data === 'later') ok(seen) }
            b.port1.postMessage('later')
          }
          a.port1.postMessage({ port: b.port2, buffer }, [b.port2, buffer])
        })`,
      ),
    ).toEqual([true, true, 3, 0, 'waiting', 'later'])
  })

  it('refuses what cannot be sent', () => {
    expect(
      runWithTimers(
        open(),
        `const { port1, port2 } = new MessageChannel(), other = new MessageChannel().port1; structuredClone(other, { transfer: [other] })
        return [() => port1.postMessage(() => {}), () => port1.postMessage(1, [port1]), () => port1.postMessage(1, { transfer: [other] }), () => port1.postMessage(), () => new MessagePort(), () => port2.postMessage(1, 5)]
          .map((f) => { try { f() } catch (e) { return e.name } })`,
      ),
    ).toEqual(['DataCloneError', 'DataCloneError', 'DataCloneError', 'TypeError', 'TypeError', 'TypeError'])
  })

  it('goes on in the next request when an answer left a message on its way', () => {
    const sandbox = open()
    sandbox.load(`const { port1, port2 } = new MessageChannel(), seen = []; port2.onmessage = (e) => seen.push(e.data); let n = 0
      exports.default = async () => { port1.postMessage(n++); if (n === 1) return new Response(); await new Promise((ok) => setTimeout(ok)); await new Promise((ok) => setTimeout(ok)); return Response.json(seen) }`)
    sandbox.invoke(head())
    sandbox.timers.clear()
    let answer = sandbox.invoke(head())
    for (let i = 0; i < 10 && answer.state === STATE.PENDING; i++) {
      sandbox.fireAll()
      answer = sandbox.settle()
    }
    expect(answer.body).toBe('[0,1]')
  })
})
