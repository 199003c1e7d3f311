import { expect, it } from 'vitest'
import { STATE } from '../../src/guest/ops.ts'
import { describeGuests } from './guests.ts'
import { head } from './sandbox.ts'

describeGuests('performance', ({ open, run, value }) => {
  it('has the clock of its host, and an origin that stays', () => {
    expect(
      run(
        `const { timeOrigin } = performance; return [performance.now() < performance.now(), timeOrigin === performance.timeOrigin, timeOrigin > 1.6e12, JSON.stringify(performance) === JSON.stringify({ timeOrigin })]`,
      ),
    ).toEqual([true, true, true, true])
    expect(
      value(
        `[() => new Performance(), () => performance.now.call({}), () => Performance.prototype.timeOrigin].map((f) => { try { f() } catch (e) { return e.name } })`,
      ),
    ).toEqual(['TypeError', 'TypeError', 'TypeError'])
  })

  it('marks and measures', () => {
    expect(
      run(`PerformanceMark; const a = performance.mark('a', { startTime: 5, detail: { x: [1] } }), b = performance.mark('b', { startTime: 9 })
        const m = performance.measure('m', 'a', 'b'), n = performance.measure('n', { start: 2, duration: 4, detail: 7 }), o = performance.measure('o', { end: 'b', duration: 1 }), p = performance.measure('p')
        const e = ({ name, entryType, startTime, duration, detail }) => [name, entryType, startTime, duration, detail]
        return [e(a), e(b), e(m), e(n), e(o), p.startTime, p.duration > 100, JSON.stringify(m), a instanceof PerformanceEntry, m instanceof PerformanceMeasure,
          performance.getEntries().map((x) => x.name).join(), performance.getEntriesByType('mark').length, performance.getEntriesByName('m')[0] === m, performance.getEntriesByName('m', 'mark').length]`),
    ).toEqual([
      ['a', 'mark', 5, 0, { x: [1] }],
      ['b', 'mark', 9, 0, null],
      ['m', 'measure', 5, 4, null],
      ['n', 'measure', 2, 4, 7],
      ['o', 'measure', 8, 1, null],
      0,
      true,
      '{"name":"m","entryType":"measure","startTime":5,"duration":4}',
      true,
      true,
      'p,n,a,m,o,b',
      2,
      true,
      0,
    ])
  })

  it('forgets what is cleared', () => {
    expect(
      run(`PerformanceMark; for (const n of ['a', 'a', 'b']) { performance.mark(n); performance.measure(n) } performance.clearMarks('a'); const one = performance.getEntries().map((x) => x.entryType + x.name).join()
        performance.clearMeasures(); const two = performance.getEntries().length; performance.clearMarks(); return [one, two, performance.getEntries().length]`),
    ).toEqual(['measurea,measurea,measureb,markb', 1, 0])
  })

  it.each([
    [`performance.mark()`, 'TypeError'],
    [`performance.mark('a', { startTime: -1 })`, 'TypeError'],
    [`performance.mark('a', { startTime: NaN })`, 'TypeError'],
    [`performance.mark('a', { detail: () => {} })`, 'DataCloneError'],
    [`performance.measure('a', 'none')`, 'SyntaxError'],
    [`performance.measure('a', { start: 1 }, 'b')`, 'TypeError'],
    [`performance.measure('a', { duration: 1 })`, 'TypeError'],
    [`performance.measure('a', { start: 1, end: 2, duration: 1 })`, 'TypeError'],
    [`performance.measure('a', { start: -1 })`, 'TypeError'],
    [`new PerformanceEntry()`, 'TypeError'],
    [`new PerformanceObserver()`, 'TypeError'],
    [`new PerformanceObserver(() => {}).observe()`, 'TypeError'],
    [`new PerformanceObserver(() => {}).observe({ entryTypes: [], type: 'mark' })`, 'TypeError'],
    [
      `(() => { const o = new PerformanceObserver(() => {}); o.observe({ type: 'mark' }); o.observe({ entryTypes: ['mark'] }) })()`,
      'InvalidModificationError',
    ],
  ])('refuses %s', (code, name) => {
    expect(run(`PerformanceMark; try { ${code} } catch (e) { return e.name }`)).toBe(name)
  })

  it('keeps a bounded number of entries', () => {
    expect(
      run(
        `PerformanceMark; for (let i = 0; i < 10100; i++) performance.mark('m', { startTime: i }); return performance.getEntries().length`,
      ),
    ).toBe(10_000)
  })

  it('tells its observers, in a task', () => {
    const sandbox = open()
    sandbox.load(`exports.default = () => new Promise((ok) => {
      PerformanceMark; performance.mark('before'); const seen = []
      const o = new PerformanceObserver((list, self, { droppedEntriesCount }) => { seen.push(list.getEntries().map((e) => e.name), list.getEntriesByType('measure').length, self === o, droppedEntriesCount); ok(Response.json(seen)) })
      o.observe({ type: 'mark', buffered: true }); o.observe({ type: 'measure' }); o.observe({ type: 'none' })
      performance.mark('a', { startTime: 1 }); performance.measure('m'); seen.push('posted', PerformanceObserver.supportedEntryTypes.join())
      const quiet = new PerformanceObserver(() => seen.push('never')); quiet.observe({ entryTypes: ['mark'] }); performance.mark('z'); seen.push(quiet.takeRecords().map((e) => e.name)); quiet.disconnect(); performance.mark('y')
    })`)
    expect(sandbox.invoke(head()).state).toBe(STATE.PENDING)
    sandbox.fireAll()
    expect(JSON.parse(sandbox.settle().body)).toEqual([
      'posted',
      'mark,measure',
      ['z'],
      ['m', 'a', 'before', 'z', 'y'],
      1,
      true,
      0,
    ])
  })
})
