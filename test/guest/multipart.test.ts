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

  // Any client may send this to any function that reads a form; nothing can stop the host meanwhile.
  it.each([
    ['a type with white space in it', `content-type: a${' '.repeat(16_000)}b`],
    ['a disposition with white space in it', `content-disposition: form-data;${' '.repeat(16_000)}b`],
    ['a disposition of semicolons', `content-disposition: form-data${'; '.repeat(8000)}`],
    ['a disposition of open quotes', `content-disposition: form-data${';name="'.repeat(2200)}`],
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
