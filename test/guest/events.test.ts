import { expect, it } from 'vitest'
import { LOG_LEVEL } from '../../src/guest/ops.ts'
import { describeGuests } from './guests.ts'
import { runInGuest } from './sandbox.ts'

describeGuests('Event', ({ run, value }) => {
  it('has the attributes of its init', () => {
    expect(
      run(`const e = new Event('x', { bubbles: 1, cancelable: true, composed: 'yes' })
        return [e.type, e.bubbles, e.cancelable, e.composed, e.target, e.srcElement, e.currentTarget, e.eventPhase, e.isTrusted,
          e.defaultPrevented, e.returnValue, e.composedPath().length, typeof e.timeStamp, String(e)]`),
    ).toEqual(['x', true, true, true, null, null, null, 0, false, false, true, 0, 'number', '[object Event]'])
  })

  it('wants a type, and an object for its init', () => {
    expect(
      value(
        `[() => new Event(), () => new Event('x', 1), () => Event('x'), () => Event.prototype.type].map((f) => { try { f() } catch (e) { return e.name } })`,
      ),
    ).toEqual(['TypeError', 'TypeError', 'TypeError', 'TypeError'])
  })

  it('has WebIDL’s shape', () => {
    expect(
      run(`const d = (o, k) => { const { enumerable, configurable, writable } = Object.getOwnPropertyDescriptor(o, k); return [enumerable, configurable, writable ?? null].join() }
        return [Event.length, CustomEvent.length, PromiseRejectionEvent.length, EventTarget.prototype.addEventListener.length, Event.NONE, Event.prototype.BUBBLING_PHASE,
          d(Event, 'AT_TARGET'), d(Event.prototype, 'type'), d(new Event('x'), 'isTrusted'), d(globalThis, 'Event'), d(AbortSignal, 'any'), d(AbortSignal.prototype, 'onabort'), AbortSignal.length]`),
    ).toEqual([
      1,
      1,
      2,
      2,
      0,
      3,
      'true,false,false',
      'true,true,',
      'true,false,',
      'false,true,true',
      'true,true,true',
      'true,true,',
      0,
    ])
  })

  it('can be prevented only when it is cancelable, and not by a passive listener', () => {
    expect(
      run(`const t = new EventTarget(), seen = [], fire = (init) => { const e = new Event('x', init); seen.push(t.dispatchEvent(e), e.defaultPrevented) }
        const stop = (e) => e.preventDefault()
        t.addEventListener('x', stop); fire(); fire({ cancelable: true }); t.removeEventListener('x', stop)
        t.addEventListener('x', stop, { passive: true }); fire({ cancelable: true })
        t.addEventListener('x', (e) => { e.returnValue = false }); fire({ cancelable: true }); return seen`),
    ).toEqual([true, false, false, true, true, false, false, true])
  })

  it('carries the details of its kind', () => {
    expect(
      run(`const c = new CustomEvent('c', { detail: 7 }), e = new ErrorEvent('e', { message: 'm', filename: 'f', lineno: -1, colno: 2.5, error: 3 })
        const p = new PromiseRejectionEvent('p', { promise: Promise.resolve(), reason: 4 })
        let refused; try { new PromiseRejectionEvent('p', {}) } catch (x) { refused = x.name }
        c.initCustomEvent('d', false, false, 8)
        return [c.detail, c.type, new CustomEvent('c').detail, e.message, e.filename, e.lineno, e.colno, e.error, p.promise instanceof Promise, p.reason, refused, c instanceof Event]`),
    ).toEqual([8, 'd', null, 'm', 'f', 4294967295, 2, 3, true, 4, 'TypeError', true])
  })
})

describeGuests('EventTarget', ({ open, run, value }) => {
  it('calls capturing listeners first, each once, in the order they were added', () => {
    expect(
      run(`const t = new EventTarget(), seen = [], a = (e) => seen.push('a' + e.eventPhase + (e.currentTarget === t) + (e.composedPath()[0] === t)), b = { handleEvent(e) { seen.push('b' + (this === b)) } }
        t.addEventListener('x', a); t.addEventListener('x', a); t.addEventListener('x', b, true); t.addEventListener('x', () => seen.push('once'), { once: true })
        t.addEventListener('x', null); t.addEventListener('y', () => seen.push('y'))
        const e = new Event('x'); t.dispatchEvent(e); seen.push(e.eventPhase, e.currentTarget, e.target === t); t.dispatchEvent(e)
        t.removeEventListener('x', b); t.removeEventListener('x', a); t.dispatchEvent(e); return seen`),
    ).toEqual(['btrue', 'a2truetrue', 'once', 0, null, true, 'btrue', 'a2truetrue', 'btrue'])
  })

  it('leaves out listeners that were removed, and does not call those that were added, by an earlier one', () => {
    expect(
      run(`const t = new EventTarget(), seen = [], late = () => seen.push('late'), gone = () => seen.push('gone')
        t.addEventListener('x', () => { seen.push('first'); t.removeEventListener('x', gone); t.addEventListener('x', late) })
        t.addEventListener('x', gone); t.dispatchEvent(new Event('x')); return seen`),
    ).toEqual(['first'])
  })

  it('stops at once, or before the next phase', () => {
    expect(
      run(`const t = new EventTarget(), seen = []
        t.addEventListener('x', (e) => { seen.push(1); e.stopPropagation() }, true); t.addEventListener('x', () => seen.push(2), true); t.addEventListener('x', () => seen.push(3))
        t.addEventListener('y', (e) => { seen.push(4); e.stopImmediatePropagation() }); t.addEventListener('y', () => seen.push(5))
        t.dispatchEvent(new Event('x')); t.dispatchEvent(new Event('y')); return seen`),
    ).toEqual([1, 2, 4])
  })

  it('refuses an event that is being dispatched, and what is none', () => {
    expect(
      run(`const t = new EventTarget(), e = new Event('x'), seen = []
        const attempt = (f) => { try { f() } catch (x) { seen.push(x.name) } }
        t.addEventListener('x', () => attempt(() => t.dispatchEvent(e))); t.dispatchEvent(e)
        for (const f of [() => t.dispatchEvent({}), () => t.dispatchEvent(), () => t.addEventListener('x'), () => t.addEventListener('x', 1), () => EventTarget.prototype.addEventListener.call({}, 'x', null)]) attempt(f)
        return seen`),
    ).toEqual(['InvalidStateError', 'TypeError', 'TypeError', 'TypeError', 'TypeError', 'TypeError'])
  })

  it('forgets a listener when its signal aborts', () => {
    expect(
      run(`const t = new EventTarget(), c = new AbortController(), seen = []
        t.addEventListener('x', () => seen.push(1), { signal: c.signal }); t.dispatchEvent(new Event('x')); c.abort(); t.dispatchEvent(new Event('x'))
        t.addEventListener('x', () => seen.push(2), { signal: c.signal }); t.dispatchEvent(new Event('x'))
        try { t.addEventListener('x', () => {}, { signal: null }) } catch (e) { seen.push(e.name) }
        return seen`),
    ).toEqual([1, 'TypeError'])
  })

  it('can be extended', () => {
    expect(
      value(
        `(() => { class T extends EventTarget { x = 1 } const t = new T(); let n = 0; t.addEventListener('e', function () { n = this.x }); t.dispatchEvent(new CustomEvent('e')); return n })()`,
      ),
    ).toBe(1)
  })

  it('reports what a listener throws, and goes on', () => {
    const sandbox = open()
    expect(
      runInGuest(
        sandbox,
        `const t = new EventTarget(); let n = 0; t.addEventListener('x', () => { throw new RangeError('in a listener') }); t.addEventListener('x', {}); t.addEventListener('x', () => n++)
        t.dispatchEvent(new Event('x')); return n`,
      ),
    ).toBe(1)
    expect(sandbox.logs.map(([level, text]) => [level, text.split('\n')[0]])).toEqual([
      [LOG_LEVEL.ERROR, 'event listener: RangeError: in a listener'],
      [LOG_LEVEL.ERROR, 'event listener: TypeError: the listener has no method handleEvent'],
    ])
  })
})

describeGuests('The global object', ({ open, run }) => {
  it('is an event target', () => {
    expect(
      run(`let seen = []; const f = (e) => seen.push(e.target === globalThis); addEventListener('x', f); self.dispatchEvent(new Event('x')); removeEventListener('x', f); dispatchEvent(new Event('x'))
        performance.addEventListener('y', () => seen.push('y')); performance.dispatchEvent(new Event('y')); seen.push(performance instanceof EventTarget)
        return seen`),
    ).toEqual([true, 'y', true])
  })

  it('hears of errors that nobody catches, and keeps those from the log that it handles', () => {
    const sandbox = open()
    expect(
      runInGuest(
        sandbox,
        `const seen = []; addEventListener('error', (e) => { seen.push(e.message, e.error.name, e.filename, e.lineno > 0, e.isTrusted); if (e.error.name === 'RangeError') e.preventDefault() })
        reportError(new RangeError('handled')); reportError(new TypeError('not handled')); return seen`,
      ),
    ).toEqual([
      'Uncaught RangeError: handled',
      'RangeError',
      'function.js',
      true,
      true,
      'Uncaught TypeError: not handled',
      'TypeError',
      'function.js',
      true,
      true,
    ])
    expect(sandbox.logs.map(([, text]) => text.split('\n')[0])).toEqual([
      'reportError: TypeError: not handled',
    ])
  })

  it('has onerror, with its five arguments, whose true means handled', () => {
    const sandbox = open()
    expect(
      runInGuest(
        sandbox,
        `let seen; onerror = (...args) => { seen = args; return true }
        const t = new EventTarget(); t.addEventListener('x', () => { throw 7 }); t.dispatchEvent(new Event('x')); const before = typeof onerror; onerror = 1
        reportError(8); return [seen, before, onerror]`,
      ),
    ).toEqual([['Uncaught 7', '', 0, 0, 7], 'function', null])
    expect(sandbox.logs.map(([, text]) => text.split('\n')[0])).toEqual(['reportError: Error: thrown: 8'])
  })

  it('does not hear of what its own error listener throws', () => {
    const sandbox = open()
    runInGuest(
      sandbox,
      `addEventListener('error', () => { throw new Error('again') }); reportError(new Error('first'))`,
    )
    expect(sandbox.logs.map(([, text]) => text.split('\n')[0])).toEqual([
      'event listener: Error: again',
      'reportError: Error: first',
    ])
  })
})
