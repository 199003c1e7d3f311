import { expect, it } from 'vitest'
import { describeGuests } from './guests.ts'
import { head, runInGuest } from './sandbox.ts'

describeGuests('AbortController', ({ run, value }) => {
  it('aborts its signal once, with a reason', () => {
    expect(
      run(`const c = new AbortController(), s = c.signal, seen = [s === c.signal, s.aborted, s.reason === undefined]
        s.addEventListener('abort', (e) => seen.push(e.type, e.isTrusted, e.target === s, s.reason)); s.onabort = () => seen.push('on')
        s.throwIfAborted(); c.abort('why'); c.abort('again'); try { s.throwIfAborted() } catch (e) { seen.push(e) }
        return [...seen, s.aborted, s.reason]`),
    ).toEqual([true, false, true, 'abort', true, true, 'why', 'on', 'why', true, 'why'])
  })

  it('gives an AbortError when no reason is given', () => {
    expect(
      run(
        `const c = new AbortController(); c.abort(); const { name, code } = c.signal.reason; return [name, code, c.signal.reason instanceof DOMException, AbortSignal.abort().reason.name, AbortSignal.abort(0).reason, AbortSignal.abort().aborted]`,
      ),
    ).toEqual(['AbortError', 20, true, 'AbortError', 0, true])
  })

  it('makes signals only; a signal cannot be made', () => {
    expect(
      value(
        `[() => new AbortSignal(), () => AbortController(), () => AbortSignal.timeout(), () => AbortSignal.timeout(-1), () => AbortSignal.any(), () => AbortSignal.any([{}]), () => AbortSignal.any('x')].map((f) => { try { f() } catch (e) { return e.name } })`,
      ),
    ).toEqual(Array(7).fill('TypeError'))
  })

  it('leaves the event handler alone that was taken back', () => {
    expect(
      run(`const c = new AbortController(), seen = [], s = c.signal; s.onabort = () => seen.push(1); s.addEventListener('abort', () => seen.push(2)); s.onabort = null; s.onabort = () => seen.push(3)
        s.onabort = {}; seen.push(typeof s.onabort); s.onabort = () => seen.push(4); c.abort(); return seen`),
    ).toEqual(['object', 2, 4])
  })
})

describeGuests('AbortSignal.timeout', ({ open }) => {
  it('aborts with a TimeoutError when its timer fires', () => {
    const sandbox = open()
    sandbox.load(`exports.default = () => new Promise((ok) => {
      const s = AbortSignal.timeout(1500); s.onabort = () => ok(Response.json([s.aborted, s.reason.name, s.reason.code])) })`)
    sandbox.invoke(head())
    expect([...sandbox.timers.values()]).toEqual([{ delayMs: 1500, repeat: false }])
    sandbox.fireAll()
    expect(sandbox.settle().body).toBe('[true,"TimeoutError",23]')
  })
})

describeGuests('AbortSignal.any', ({ open, run }) => {
  it('follows the first that aborts', () => {
    expect(
      run(`const a = new AbortController(), b = new AbortController(), s = AbortSignal.any([a.signal, b.signal]), t = AbortSignal.any([s, AbortSignal.any([])]), seen = []
        for (const [n, x] of [['t', t], ['s', s], ['b', b.signal]]) x.onabort = () => seen.push(n, s.aborted, t.aborted)
        b.abort(7); a.abort(8); return [seen, s.reason, t.reason, AbortSignal.any([a.signal, b.signal]).reason]`),
    ).toEqual([['b', true, true, 's', true, true, 't', true, true], 7, 7, 8])
  })

  it('lives while somebody listens, though nobody else holds it', () => {
    const sandbox = open()
    expect(
      runInGuest(
        sandbox,
        `const c = new AbortController(); let n = 0
        for (let i = 0; i < 200; i++) { const s = AbortSignal.any([c.signal]); if (i % 2) s.onabort = () => n++ }
        for (let i = 0; i < 1e4; i++) ({ x: i }).self = {}
        c.abort(); return n`,
      ),
    ).toBe(100)
  })
})
