import { expect, it } from 'vitest'
import { describeGuests } from './guests.ts'

const DEFAULTS = {
  cache: 'default',
  credentials: 'same-origin',
  destination: '',
  duplex: 'half',
  integrity: '',
  isHistoryNavigation: false,
  isReloadNavigation: false,
  keepalive: false,
  mode: 'cors',
  redirect: 'follow',
  referrer: 'about:client',
  referrerPolicy: '',
}
const GIVEN = {
  cache: 'no-store',
  credentials: 'include',
  integrity: 'sha256-x',
  keepalive: true,
  mode: 'same-origin',
  redirect: 'manual',
  referrer: 'http://a.test/from',
  referrerPolicy: 'no-referrer',
}

// Naming fetch loads its feature, as it does for a bundle that mentions one of the members.
const read = (request: string) =>
  `fetch; const r = ${request}; return Object.fromEntries(${JSON.stringify(Object.keys(DEFAULTS))}.map((k) => [k, r[k]]))`
const init = JSON.stringify(GIVEN)

describeGuests('members of a Request', ({ run }) => {
  it.each([
    ['of a URL', `new Request('http://h/')`, {}],
    [
      'with an init',
      `new Request('http://h/', { ...${init}, duplex: 'half', priority: 'high', signal: null, window: null })`,
      GIVEN,
    ],
    [
      'undefined in the init',
      `new Request('http://h/', { ${Object.keys(GIVEN).map((key) => `${key}: undefined`)} })`,
      {},
    ],
    ['of a Request that has some', `new Request(new Request('http://h/', ${init}))`, GIVEN],
    ['of a clone', `new Request('http://h/', ${init}).clone()`, GIVEN],
    [
      'of a Request that has some, with an init: where it comes from does not stay',
      `new Request(new Request('http://h/', ${init}), { credentials: 'omit' })`,
      { ...GIVEN, credentials: 'omit', referrer: 'about:client', referrerPolicy: '' },
    ],
    ['of another that is the init', `new Request('http://h/', new Request('http://o/', ${init}))`, GIVEN],
    [
      'without a referrer',
      `new Request('http://h/', { referrer: '', keepalive: 0, mode: 'no-cors' })`,
      { referrer: '', mode: 'no-cors' },
    ],
    [
      'whose values are converted',
      `new Request('http://h/', { cache: { toString: () => 'reload' }, integrity: 1, keepalive: 'x' })`,
      { cache: 'reload', integrity: '1', keepalive: true },
    ],
    ['made before they were asked for', `request`, {}],
  ])('%s', (_, request, expected) => {
    expect(run(read(request))).toEqual({ ...DEFAULTS, ...(expected as object) })
  })

  it.each([
    ...['cache', 'credentials', 'duplex', 'mode', 'priority', 'redirect', 'referrerPolicy'].flatMap((key) => [
      `{ ${key}: 'bogus' }`,
      `{ ${key}: null }`,
    ]),
    `{ cache: '' }`,
    `{ credentials: 'INCLUDE' }`,
    `{ duplex: 'full' }`,
    `{ mode: 'navigate' }`,
    `{ mode: 'no-cors', method: 'PUT' }`,
    `{ cache: 'only-if-cached' }`,
    `{ referrer: 'http://[' }`,
    `{ window: {} }`,
    `{ signal: {} }`,
    `{ integrity: Symbol() }`,
  ])('%s is a TypeError, and leaves the body to be read', (bad) => {
    expect(
      run(`fetch
        const source = new Request('http://h/', { method: 'POST', body: 'b' })
        let name
        try { new Request(source, ${bad}) } catch (error) { name = error.name }
        return [name, source.bodyUsed]`),
    ).toEqual(['TypeError', false])
  })

  it('are as WebIDL has them', () => {
    expect(
      run(`fetch
        const { get, set, enumerable, configurable } = Object.getOwnPropertyDescriptor(Request.prototype, 'mode')
        let name
        try { get.call({}) } catch (error) { name = error.name }
        const request = new Request('http://h/')
        try { request.cache = 'reload' } catch {}
        return [get.name, typeof set, enumerable, configurable, name, request.cache, Object.keys(request)]`),
    ).toEqual(['get mode', 'undefined', true, true, 'TypeError', 'default', []])
  })
})
