import { describe, expect, it } from 'vitest'
import { BASE_FEATURES, baseFor, mentionedFeatures } from '../../src/engine/features.ts'
import { ALL_FEATURES, FEATURES, featureBit } from '../../src/guest/features/names.ts'
import { describeGuests } from './guests.ts'

const bitOf = (name: string) => featureBit(FEATURES.findIndex((feature) => feature.name === name))
const names = FEATURES.flatMap(({ globals }) => globals)

describe('the features that a bundle mentions', () => {
  it.each([
    ['() => Response.json({})', 0],
    ['(r) => new URL(r.url)', bitOf('url')],
    ['const { TextEncoder: E } = self', bitOf('encoding')],
    ['// URL, TextDecoder', bitOf('url') | bitOf('encoding')],
    ['myURL, URLS, $TextEncoder_', 0],
    ['onerror = report', bitOf('events')],
    ['env.ASSETS.get(1)', bitOf('fetch')],
    ['({ ASSETS }) => 1', bitOf('fetch')],
    ["new Request(u, { credentials: 'omit' })", bitOf('fetch')],
    ["(request) => request.mode === 'navigate'", bitOf('fetch')],
    ['options.mode, this.cache, place.destination', 0],
    ['eval(text)', ALL_FEATURES],
    ['new Function ("return 1")', ALL_FEATURES],
    ['globalThis["U" + "RL"]', ALL_FEATURES],
    ['typeof f === "function"; Function.prototype', 0],
  ])('of %s', (code, set) => {
    expect(mentionedFeatures(code)).toBe(set)
  })

  it('are covered by a base, the smallest that does', () => {
    for (let set = 0; set <= ALL_FEATURES; set += 1 + (set >> 3)) {
      const index = baseFor(set)
      expect(set & ~BASE_FEATURES[index]!).toBe(0)
      for (const smaller of BASE_FEATURES.slice(0, index)) expect(set & ~smaller).not.toBe(0)
    }
  })

  it('have no name twice', () => {
    expect(new Set(names).size).toBe(names.length)
  })
})

describeGuests('features', ({ run, value }) => {
  it.each(names)(
    '%s is there at its first use, as WebIDL has it: what is no interface is enumerable',
    (name) => {
      expect(
        run(`
        const before = Object.getOwnPropertyDescriptor(globalThis, '${name}')
        const type = typeof ${name}
        const { writable, enumerable, configurable, value } = Object.getOwnPropertyDescriptor(globalThis, '${name}')
        return [typeof before.get, type, writable, enumerable, configurable, value === ${name}]`),
      ).toEqual(['function', 'function', true, /^[a-z]/.test(name), true, true])
    },
  )

  it('share their modules: one class each, however it was loaded', () => {
    expect(value(`new URL('http://a/?b=c').searchParams instanceof URLSearchParams`)).toBe(true)
    expect(value(`new Response(new URLSearchParams('a=b')).headers.get('content-type')`)).toBe(
      'application/x-www-form-urlencoded;charset=UTF-8',
    )
  })

  it('leave what user code has put in their place', () => {
    expect(run(`globalThis.URL = 1; new URLSearchParams(); return URL`)).toBe(1)
    expect(run(`URL = class Mine {}; return [URL.name, typeof URLSearchParams]`)).toEqual([
      'Mine',
      'function',
    ])
    expect(run(`delete globalThis.URL; new URLSearchParams(); return typeof URL`)).toBe('undefined')
  })

  it('do not need the built-ins that user code has replaced', () => {
    expect(
      run(`
        for (const type of [Array, Object, Map, String]) for (const key of Object.getOwnPropertyNames(type.prototype))
          if (key === 'push' || key === 'values' || key === 'forEach' || key === 'set') type.prototype[key] = () => { throw 1 }
        Object.keys = Object.entries = Object.assign = () => { throw 2 }
        return typeof URL`),
    ).toBe('function')
  })
})
