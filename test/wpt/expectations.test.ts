import { expect, test } from 'vitest'

interface Subtest {
  name: string
  passed: boolean
  message?: string
}
interface Expectations {
  skipped: Record<string, string>
  slow: Record<string, string>
  notApplicable: Record<string, Record<string, string>>
  failing: Record<string, Record<string, string[]>>
}
interface Module {
  compare(
    expectations: Expectations,
    file: { name: string },
    found: Subtest[],
  ): { regressions: Subtest[]; stale: string[]; unexplained: string[]; expected: number }
  subtests(
    expectations: Expectations,
    file: { path: string },
    result: { status: number; message: string; tests: [string, number, string][] },
  ): Subtest[]
  skipReason(expectations: Expectations, name: string): string | undefined
  unmatched(expectations: Expectations, files: { name: string; path: string }[]): string[]
  update(expectations: Expectations, file: { name: string }, found: Subtest[]): void
}

// The runner is plain JavaScript: it runs without a build.
const runner = (await import(new URL('./expectations.mjs', import.meta.url).href)) as Module

const file = { name: 'url/a.any.js?x', path: 'url/a.any.js' }
const expectations = (failing: Expectations['failing'], more: Partial<Expectations> = {}): Expectations => ({
  skipped: {},
  slow: {},
  notApplicable: {},
  failing,
  ...more,
})
const passing = (name: string): Subtest => ({ name, passed: true })
const failed = (name: string): Subtest => ({ name, passed: false })

test('a failing subtest that is not listed is a regression, a listed one is expected', () => {
  const { regressions, stale, expected } = runner.compare(
    expectations({ [file.name]: { 'a reason': ['one'] } }),
    file,
    [failed('one'), failed('two'), passing('three')],
  )
  expect(regressions).toEqual([failed('two')])
  expect(stale).toEqual([])
  expect(expected).toBe(1)
})

test('a listed subtest that passes, or is not there, is stale', () => {
  const listed = expectations({ [file.name]: { 'a reason': ['one', 'gone'] } })
  expect(runner.compare(listed, file, [passing('one')]).stale).toEqual(['one', 'gone'])
})

test('an entry without a reason is an error', () => {
  const listed = expectations({ [file.name]: { '': ['one'] } })
  expect(runner.compare(listed, file, [failed('one')]).unexplained).toEqual(['one'])
})

test('names are made unique, and a file that fails is a failing subtest', () => {
  const found = runner.subtests(expectations({}), file, {
    status: 1,
    message: 'threw',
    tests: [
      ['same', 0, ''],
      ['same', 1, 'no'],
    ],
  })
  expect(found).toEqual([
    { name: 'same', passed: true, message: '' },
    { name: 'same #2', passed: false, message: 'no' },
    { name: '(file)', passed: false, message: 'threw' },
  ])
})

test('subtests that cannot apply are left out', () => {
  const found = runner.subtests(
    expectations({}, { notApplicable: { [file.path]: { '<a>': 'needs a document' } } }),
    file,
    {
      status: 0,
      message: '',
      tests: [
        ['using <a>', 1, ''],
        ['using URL', 0, ''],
      ],
    },
  )
  expect(found.map(({ name }) => name)).toEqual(['using URL'])
})

test('skipped files are named by path, with * for any text', () => {
  const skipping = expectations({}, { skipped: { 'url/a.any.js?*': 'why', 'url/b.any.js': 'because' } })
  expect(runner.skipReason(skipping, file.name)).toBe('why')
  expect(runner.skipReason(skipping, 'url/b.any.js')).toBe('because')
  expect(runner.skipReason(skipping, 'url/b.any.jsx')).toBeUndefined()
})

test('an entry for a file that is not in the suite is found', () => {
  const listed = expectations({ 'url/gone.any.js': {} }, { skipped: { 'url/old*': 'why' } })
  expect(runner.unmatched(listed, [file])).toEqual(['url/gone.any.js', 'url/old*'])
})

test('an update keeps reasons, drops what passes, and leaves new entries without a reason', () => {
  const listed = expectations({ [file.name]: { 'a reason': ['one', 'two'] } })
  runner.update(listed, file, [failed('one'), passing('two'), failed('three')])
  expect(listed.failing).toEqual({ [file.name]: { 'a reason': ['one'], '': ['three'] } })
  runner.update(listed, file, [passing('one'), passing('two'), passing('three')])
  expect(listed.failing).toEqual({})
})
