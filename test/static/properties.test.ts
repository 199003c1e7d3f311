import { join, sep } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listsEntityTag } from '../../src/static/entity-tag.ts'
import { systemFiles } from '../../src/static/file-system.ts'
import { httpDate, parseHttpDate } from '../../src/static/http-date.ts'
import { AcceptedCodings } from '../../src/static/negotiate.ts'
import { relativePath } from '../../src/static/path.ts'
import type { StaticPlan } from '../../src/static/plan.ts'
import { parseRange } from '../../src/static/range.ts'
import { Resolver } from '../../src/static/resolve.ts'
import { Site } from './support/site.ts'

const PLAN: Omit<StaticPlan, 'dir'> = {
  route: '/*',
  cacheControl: null,
  index: ['index.html'],
  spaFallback: null,
  extensions: ['html'],
  dotfiles: 'ignore',
  symlinks: 'inside',
  listing: 'on',
  compression: 'on',
  headers: {},
}

describe('Range', () => {
  const size = fc.integer({ min: 0, max: 200 })
  const spec = fc.oneof(
    fc.tuple(fc.nat(250), fc.nat(250)).map(([a, b]) => `${a}-${b}`),
    fc.nat(250).map((a) => `${a}-`),
    fc.nat(250).map((a) => `-${a}`),
  )

  test('whatever is asked for, what is sent lies within, does not overlap, and is bounded', () => {
    fc.assert(
      fc.property(size, fc.array(spec, { minLength: 1, maxLength: 20 }), (bytes, specs) => {
        const ranges = parseRange(`bytes=${specs.join(',')}`, bytes)
        if (typeof ranges === 'string') return
        expect(ranges.length).toBeGreaterThan(0)
        expect(ranges.length).toBeLessThanOrEqual(16)
        let total = 0
        for (const { start, end } of ranges) {
          expect(0 <= start && start < end && end <= bytes).toBe(true)
          total += end - start
        }
        expect(total).toBeLessThanOrEqual(bytes)
      }),
    )
  })

  test('one range is exactly the bytes that a slice of the content has', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(250), fc.nat(250), (bytes, first, last) => {
        const content = Array.from({ length: bytes }, (_, i) => i)
        const expected = content.filter((i) => i >= first && i <= last)
        const ranges = parseRange(`bytes=${first}-${last}`, bytes)
        if (last < first) expect(ranges).toBe('all')
        else if (expected.length === 0) expect(ranges).toBe('unsatisfiable')
        else expect(ranges).toEqual([{ start: expected[0], end: expected.at(-1)! + 1 }])
      }),
    )
  })

  test('no text makes it throw, or take long', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(100), (text, bytes) => {
        for (const value of [text, `bytes=${text}`]) {
          const ranges = parseRange(value, bytes)
          expect(ranges === 'all' || ranges === 'unsatisfiable' || Array.isArray(ranges)).toBe(true)
        }
      }),
    )
    const sinceMs = performance.now()
    parseRange(`bytes=${','.repeat(16_000)}`, 10)
    parseRange(`bytes=${'0-0,'.repeat(4000)}`, 10)
    parseRange(`bytes=${' '.repeat(16_000)}x`, 10)
    listsEntityTag(`${'"a",'.repeat(4000)}`, '"b"', true)
    listsEntityTag(`${' '.repeat(16_000)}x`, '"b"', true)
    new AcceptedCodings(`${'a;'.repeat(8000)}`)
    expect(performance.now() - sinceMs).toBeLessThan(500)
  })
})

describe('a path', () => {
  let site: Site
  let resolver: Resolver
  beforeAll(() => {
    site = new Site({ 'index.html': 'i', 'a.txt': 'a', 'b/index.html': 'b', 'b/c.html': 'c', '.d/e': 'e' })
    site.link('out', site.outside)
    site.link('up', '..')
    site.link('in', 'b')
    resolver = new Resolver({ ...PLAN, dir: site.root }, systemFiles)
  })
  afterAll(() => site[Symbol.dispose]())

  const piece = fc.constantFrom(
    ...['a.txt', 'b', 'c', 'c.html', 'in', 'out', 'up', 'root', 'outside.txt', '.d', 'e', '..', '.', ''],
    ...['%2e%2e', '%2E.', '.%2e', '%2f', '%5c', '\\', '..\\', '%00', '%252e%252e', '%c0%ae', '....', 'A.TXT'],
    ...['..;', '%u002e', '..%2f', '..%5c', '%2e%2e%2f', 'a.txt%20', 'a.txt.', '~', 'etc', 'passwd', '\u00e9'],
  )

  test('never leads out of its folder, whatever it is made of', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.constantFrom('', '/'), (pieces, end) => {
        const located = resolver.locate(pieces.join('/') + end)
        if (located.kind !== 'file' && located.kind !== 'listing') return
        expect(located.real === site.root || located.real.startsWith(site.root + sep)).toBe(true)
        expect(located.real).not.toContain(`${sep}.d`)
      }),
      { numRuns: 2000 },
    )
  })

  test('any text is decoded into clean segments, or refused', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        const path = relativePath(text)
        if (typeof path === 'string') return
        const joined = join('/site', ...path.segments)
        expect(joined === '/site' || joined.startsWith('/site/')).toBe(true)
        for (const segment of path.segments) expect(segment).not.toMatch(/^\.{0,2}$|[/\\\0-\x1f]/)
      }),
      { numRuns: 2000 },
    )
  })

  test.each([
    ['', 'index.html'],
    ['b/', join('b', 'index.html')],
    ['b/c', join('b', 'c.html')],
    ['in/c.html', join('b', 'c.html')],
  ])('%s is %s', (raw, file) => {
    expect(resolver.locate(raw)).toMatchObject({ kind: 'file', real: join(site.root, file) })
  })
})

test('an HTTP-date that is sent is understood again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
      expect(parseHttpDate(httpDate(seconds), 0)).toBe(seconds)
    }),
  )
  for (const text of ['', 'Fri, 31 Feb 2026 00:00:00 GMT', 'Fri, 02 Jan 2026 24:00:00 GMT', '2026-01-02']) {
    expect(parseHttpDate(text, 0)).toBeNaN()
  }
  // More than 50 years ahead is the last century (section 5.6.7).
  expect(parseHttpDate('Sunday, 06-Nov-94 08:49:37 GMT', Date.UTC(2026, 0))).toBe(784_111_777)
})
