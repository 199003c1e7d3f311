import { expect, it } from 'vitest'
import { describeGuests } from './guests.ts'

const PARTS = 'protocol,username,password,hostname,port,pathname,search,hash'

describeGuests('URLPattern', ({ run, value }) => {
  const patternOf = (args: string) =>
    run(`try { const { ${PARTS} } = new URLPattern(${args}); return [${PARTS}] } catch (e) { return e.name }`)

  // URL Pattern, section 1.4 ("process a URLPatternInit") and 2.1 (parsing a constructor string).
  it.each([
    [``, ['*', '*', '*', '*', '*', '*', '*', '*']],
    [`{}`, ['*', '*', '*', '*', '*', '*', '*', '*']],
    [`{ pathname: '/a/:b' }`, ['*', '*', '*', '*', '*', '/a/:b', '*', '*']],
    [`'https://example.com/a/*'`, ['https', '*', '*', 'example.com', '', '/a/*', '*', '*']],
    [`'https://example.com'`, ['https', '*', '*', 'example.com', '', '*', '*', '*']],
    [`'https://example.com/?q'`, ['https', '*', '*', 'example.com', '', '/', 'q', '*']],
    [`'https://example.com/#f'`, ['https', '*', '*', 'example.com', '', '/', '', 'f']],
    [`'https://example.com:8080/a?b#c'`, ['https', '*', '*', 'example.com', '8080', '/a', 'b', 'c']],
    [`'https://example.com:443/'`, ['https', '*', '*', 'example.com', '', '/', '*', '*']],
    [
      `'http{s}?://*.example.com/books/:id'`,
      ['http{s}?', '*', '*', '*.example.com', '', '/books/:id', '*', '*'],
    ],
    [`'/a/:b', 'https://x.test'`, ['https', '*', '*', 'x.test', '', '/a/:b', '*', '*']],
    [`'?q=:v', 'https://x.test/p'`, ['https', '*', '*', 'x.test', '', '/p', 'q=:v', '*']],
    [
      `{ pathname: 'c', baseURL: 'https://x.test/a/b?d#e' }`,
      ['https', '*', '*', 'x.test', '', '/a/c', '*', '*'],
    ],
    [`{ protocol: 'https:', search: '?s', hash: '#h' }`, ['https', '*', '*', '*', '*', '*', 's', 'h']],
    [`{ pathname: '/ü b' }`, ['*', '*', '*', '*', '*', '/%C3%BC%20b', '*', '*']],
    [`{ hostname: 'ü.test' }`, ['*', '*', '*', 'xn--tda.test', '*', '*', '*', '*']],
    [`{ pathname: '/a/../b' }`, ['*', '*', '*', '*', '*', '/b', '*', '*']],
    [`'data\\\\:foobar'`, ['data', '*', '*', '', '', 'foobar', '*', '*']],
  ])('of %s has its components', (args, parts) => {
    expect(patternOf(args)).toEqual(parts)
  })

  it.each([
    [`'/relative'`],
    [`{ pathname: '/(' }`],
    [`{ pathname: '/{a' }`],
    [`{ pathname: '/:a/:a' }`],
    [`{ pathname: '/(?a)' }`],
    [`{ pathname: '/()' }`],
    [`{ pathname: '/:' }`],
    [`{ port: 'x' }`],
    [`{ baseURL: 'no url' }`],
    [`{ hostname: 'a b' }`],
    [`{}, 'https://x.test'`],
  ])('refuses %s', (args) => {
    expect(patternOf(args)).toBe('TypeError')
  })

  // Section 1.3 (match), and 2.2 (parts: fixed text, segment, expression, wildcard; modifiers).
  it.each([
    ['/a', '/a', {}],
    ['/a', '/a/', null],
    ['/a', '/A', null],
    ['/:id', '/x', { id: 'x' }],
    ['/:id', '/x/y', null],
    ['/:id?', '/x', { id: 'x' }],
    ['/a/:id?', '/a', {}],
    ['/a/:id+', '/a/x/y', { id: 'x/y' }],
    ['/a/:id+', '/a', null],
    ['/a/:id*', '/a', {}],
    ['/*', '/x/y', { 0: 'x/y' }],
    ['/(\\\\d+)', '/12', { 0: '12' }],
    ['/(\\\\d+)', '/x', null],
    ['/:n(\\\\d+)', '/12', { n: '12' }],
    ['/:a-:b', '/x-y', { a: 'x', b: 'y' }],
    ['/a{/b}?', '/a/b', {}],
    ['/a{/b}?', '/a', {}],
    ['/a{/:c}*', '/a/x/y', { c: 'x/y' }],
    ['/\\\\:a', '/:a', {}],
    ['/:a.:b', '/x.y', { a: 'x', b: 'y' }],
    ['/:ünï', '/x', { ünï: 'x' }],
  ])('of the path %s meets %s with %j', (pathname, path, groups) => {
    expect(
      run(`const p = new URLPattern({ pathname: '${pathname}' }), input = 'https://x.test${path}', m = p.exec(input)
        return [p.test(input), m && m.pathname.groups]`),
    ).toEqual([groups !== null, groups])
  })

  it('matches every component, and tells of each', () => {
    expect(
      run(`const p = new URLPattern('https://:sub.example.com/:a'), m = p.exec('https://u:p@www.example.com/x?y#z')
        return [p.test('http://www.example.com/x'), p.test('https://example.com/x'), p.test('https://www.example.com:8/x'), p.test('no url'), p.exec('no url'), p.test({ pathname: '/x' }), m.inputs, m.hostname, m.pathname, m.search.input, m.username.input]`),
    ).toEqual([
      false,
      false,
      false,
      false,
      null,
      false,
      ['https://u:p@www.example.com/x?y#z'],
      { input: 'www.example.com', groups: { sub: 'www' } },
      { input: '/x', groups: { a: 'x' } },
      'y',
      'u',
    ])
  })

  it('takes a base for its input, and an object', () => {
    expect(
      value(
        `(({ pathname }) => [pathname.test('/a/x', 'https://h'), pathname.test({ pathname: '/a/x' }), pathname.test({ pathname: 'x', baseURL: 'https://h/a/' }), pathname.test('../a/x', 'https://h/b/c')])({ pathname: new URLPattern({ pathname: '/a/:b' }) })`,
      ),
    ).toEqual([true, true, true, true])
  })

  it('can ignore case, and knows whether it has expressions', () => {
    expect(
      value(
        `[new URLPattern({ pathname: '/Ab' }, { ignoreCase: true }).test('https://h/aB'), new URLPattern('/Ab', 'https://h', { ignoreCase: true }).test('https://h/AB'), new URLPattern({ pathname: '/(a)' }).hasRegExpGroups, new URLPattern({ pathname: '/:a' }).hasRegExpGroups]`,
      ),
    ).toEqual([true, true, true, false])
  })

  it('has the shape of an interface', () => {
    expect(
      run(
        `const d = Object.getOwnPropertyDescriptor(URLPattern.prototype, 'pathname'); return [URLPattern.name, String(new URLPattern()), d.enumerable, typeof d.get, Object.getOwnPropertyNames(URLPattern).includes('compareComponent'), (() => { try { URLPattern() } catch (e) { return e.name } })()]`,
      ),
    ).toEqual(['URLPattern', '[object URLPattern]', true, 'function', false, 'TypeError'])
  })
})
