import { describe, expect, it } from 'vitest'
import { findParts } from '../../src/guest/host-multipart.ts'

/** A form of one file whose part has these field lines. */
const formOf = (...lines: string[]) => Buffer.from(`--b\r\n${lines.join('\r\n')}\r\n\r\ncontent\r\n--b--\r\n`)
const FILE = 'content-disposition: form-data; name="a"; filename="f"'
/** Far more than a linear search of 16 KB takes, on a busy machine too; a quadratic one takes ten times as long. */
const SEARCH_MS_MAX = 100

/** Processor time of this thread's process; what else the machine does is not counted. */
function cpuMsOf(work: () => void): number {
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

describe('parts of a form (OP.MULTIPART)', () => {
  it.each([
    ['content-type: image/png', 'image/png'],
    ['Content-Type:\t image/png \t', 'image/png'],
    ['content-type: text/plain; charset=utf-8', 'text/plain; charset=utf-8'],
    ['content-type:', ''],
    ['x-other: 1', 'text/plain'],
  ])('%j gives a file the type %j', (line, type) => {
    const [part] = JSON.parse(findParts(formOf(FILE, line), 'b')!) as [
      string,
      string,
      string,
      number,
      number,
    ][]
    expect(part!.slice(0, 3)).toEqual(['a', 'f', type])
  })

  it.each([
    ['form-data; filename="f; name=b"; name="a"', ['a', 'f; name=b']],
    ['form-data; filename="; name="; name="a"', ['a', '; name=']],
    ['form-data; filename="x;name=b;filename=c"; NAME=a', ['a', 'x;name=b;filename=c']],
    ['form-data; xname="b"; name="a"; filename*=utf-8\'\'x; name="c"; filename="f"', ['a', 'f']],
    ['form-data;; ;name="a" ;filename="f";', ['a', 'f']],
    [
      'form-data; name="a"; filename="f\u2028content-disposition: form-data; name=b"',
      ['a', 'f\u2028content-disposition: form-data; name=b'],
    ],
    ['form-data; name="%22a%0D%0A"; filename=""', ['"a\r\n', '']],
    ['form-data; name="a"; filename="f"x', undefined],
    ['form-data; name="a', undefined],
    ['form-data; name', undefined],
    ['form-data', undefined],
    ['form-data-2; name="a"; filename="f"', undefined],
    ['attachment; name="a"; filename="f"', undefined],
  ])('%j has these names', (disposition, expected) => {
    const parts = findParts(formOf(`content-disposition: ${disposition}`), 'b')
    expect(parts && JSON.parse(parts)[0].slice(0, 2)).toEqual(expected)
  })

  it('a field is one by the beginning of its line', () => {
    const lines = [
      'x: content-disposition: form-data; name="b"',
      `y: \ncontent-type: a/b`,
      FILE,
      'content-type : c/d',
    ]
    expect(JSON.parse(findParts(formOf(...lines), 'b')!)[0].slice(0, 3)).toEqual(['a', 'f', 'text/plain'])
  })

  // Any client may send this to any function that reads a form; nothing can stop the host meanwhile.
  it.each([
    ['a type with white space in it', `content-type: a${' '.repeat(16_000)}b`],
    ['a disposition with white space in it', `content-disposition: form-data;${' '.repeat(16_000)}b`],
    ['a disposition of semicolons', `content-disposition: form-data${'; '.repeat(8000)}`],
    ['a disposition of open quotes', `content-disposition: form-data${';name="'.repeat(2200)}`],
    ['a disposition of parameters', `content-disposition: form-data${';a=b'.repeat(4000)}`],
    ['many lines that begin like a disposition', 'content-disposition: form-data\r\n'.repeat(500)],
  ])('%s costs no more than its length', (_, line) => {
    const form = formOf(FILE, line)
    const alone = formOf(line, FILE)
    const usedMs = cpuMsOf(() => {
      findParts(form, 'b')
      findParts(alone, 'b')
    })
    expect(usedMs).toBeLessThan(SEARCH_MS_MAX)
  })
})
