import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Router } from '../../src/functions/router.ts'

function match(router: Router, path: string): number {
  const bytes = Buffer.from(`>>${path}>>`, 'latin1')
  return router.match(bytes, 2, bytes.length - 2)
}

const functions = [
  { name: 'root', routes: ['/'] },
  { name: 'api', routes: ['/api/*', '/api'] },
  { name: 'users', routes: ['/api/users', '/api/users/*'] },
  { name: 'user', routes: ['/api/user'] },
  { name: 'deep', routes: ['/api/users/me/keys/*', '/a%2Fb'] },
]
const names = (router: Router, path: string) => functions[match(router, path)]?.name

describe('Router', () => {
  const router = new Router(functions)

  it.each<[path: string, name: string | undefined, why: string]>([
    ['/', 'root', 'an exact root is no prefix'],
    ['/x', undefined, 'nothing serves it'],
    ['/api', 'api', 'an exact route'],
    ['/api/', 'api', 'the prefix itself'],
    ['/api/x', 'api', 'below the prefix'],
    ['/apix', undefined, 'a prefix ends at a slash'],
    ['/ap', undefined, 'part of an edge'],
    ['/api/user', 'user', 'exact beats prefix'],
    ['/api/use', 'api', 'part of an exact route'],
    ['/api/userx', 'api', 'an exact route and more'],
    ['/api/users', 'users', 'exact, where another route goes on'],
    ['/api/users/', 'users', 'the longer prefix'],
    ['/api/users/me/keys', 'users', 'part of a longer prefix'],
    ['/api/users/me/keys/1', 'deep', 'the longest prefix'],
    ['/api?x=/users', 'api', 'the query does not count'],
    ['/?', 'root', 'an empty query'],
    ['/api/users?/me/keys/', 'users', 'a slash in the query'],
    ['/API', undefined, 'case counts'],
    ['//api', undefined, 'no segment is dropped'],
    ['/x/../api', undefined, 'dot segments are segments like others'],
    ['/api/../x', 'api', 'also below a prefix'],
    ['/%61pi', undefined, 'nothing is decoded'],
    ['/a%2Fb', 'deep', 'an encoded route is met as it is written'],
    ['/a%2fb', undefined, 'and no other way'],
    ['/a/b', undefined, 'nor decoded'],
    ['/api/\xff\x80', 'api', 'bytes beyond ASCII'],
    ['', undefined, 'no path'],
    ['*', undefined, 'the asterisk of OPTIONS'],
  ])('%s → %s: %s', (path, name) => {
    expect(names(router, path)).toBe(name)
  })

  it('gives everything to a single /*', () => {
    const sole = new Router([{ name: 'all', routes: ['/*'] }])
    for (const path of ['/', '/a/b?c', '*', '', '/\xff']) expect(match(sole, path)).toBe(0)
  })

  it('gives /* what nothing else serves, also what is no path', () => {
    const fallback = new Router([
      { name: 'a', routes: ['/a'] },
      { name: 'all', routes: ['/*'] },
    ])
    expect(['/a', '/b', '/', '/ab', '*'].map((path) => match(fallback, path))).toEqual([0, 1, 1, 1, 1])
  })

  it('serves nothing without functions', () => {
    expect(match(new Router([]), '/')).toBe(-1)
  })

  it('refuses a route twice, and what is no route', () => {
    expect(
      () =>
        new Router([
          { name: 'a', routes: ['/x'] },
          { name: 'b', routes: ['/x'] },
        ]),
    ).toThrow('the route /x belongs to a and to b')
    for (const route of ['x', '', '*', '/a*', '/*/b', '/a b', '/a?b', '/é']) {
      expect(() => new Router([{ name: 'a', routes: [route] }])).toThrow('is no route')
    }
  })

  it('finds what a plain search finds (property)', () => {
    const segment = fc.constantFrom('a', 'b', 'ab', 'abc', '', '..', '%61')
    const path = fc.array(segment, { maxLength: 4 }).map((parts) => `/${parts.join('/')}`)
    const route = fc
      .tuple(path, fc.boolean())
      .map(([text, prefix]) => (prefix ? `${text === '/' ? '' : text}/*` : text))
    fc.assert(
      fc.property(
        fc.uniqueArray(route, { maxLength: 12 }),
        fc.array(path, { minLength: 1, maxLength: 8 }),
        (routes, paths) => {
          const table = routes.map((text, index) => ({ name: `f${index}`, routes: [text] }))
          const built = new Router(table)
          for (const text of [...paths, ...routes.map((each) => each.replace('*', 'x'))])
            expect(match(built, text)).toBe(search(routes, text))
        },
      ),
      { numRuns: 500 },
    )
  })
})

function search(routes: readonly string[], path: string): number {
  const exact = routes.indexOf(path)
  if (exact >= 0) return exact
  let best = -1
  routes.forEach((route, index) => {
    if (!route.endsWith('/*') || !path.startsWith(route.slice(0, -1))) return
    if (best < 0 || route.length > routes[best]!.length) best = index
  })
  return best
}
