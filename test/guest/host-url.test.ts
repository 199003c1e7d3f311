import { describe, expect, it } from 'vitest'
import { urlParse, urlSet } from '../../src/guest/host.ts'
import { URL_PART } from '../../src/guest/ops.ts'

const long = Array.from({ length: 20_000 }, (_, i) =>
  String.fromCodePoint(0x4e00 + ((i * 7919) % 20_000)),
).join('')
const escaped = encodeURIComponent(long.slice(0, 7000))

describe('hosts that cost more than their length (OP.URL_PARSE, OP.URL_SET)', () => {
  it.each([
    `http://${long}`,
    `HTTPS:${long}.example/path`,
    `wss:\\\\\\${long}:8080`,
    `ht\ntp:/\t/${long}`,
    `\n http://${long}`,
    ` http://user:pass@word@${long}/`,
    `foo://${escaped}`,
    `file://${long}/`,
    `http://${escaped}`,
    `http://${'a'.repeat(2049)}`,
  ])('URL %# is none', (text) => {
    expect(urlParse(text, undefined)).toBeUndefined()
  })

  it.each([`//${long}`, `\\\\${long}/x`, `/\n/${long}`])('relative URL %# is none', (text) => {
    expect(urlParse(text, 'http://base.example/')).toBeUndefined()
  })

  it('nor is one a base', () => {
    expect(urlParse('x', `http://${long}`)).toBeUndefined()
  })

  it.each([URL_PART.HOST, URL_PART.HOSTNAME])('part %i is not set to one', (part) => {
    expect(urlSet('http://a.example/', part, long)).toBe(urlParse('http://a.example/', undefined))
  })

  it.each([
    `http://a.example/${'é'.repeat(3000)}`,
    `http://a.example?${'é'.repeat(3000)}`,
    `http://a.example#${'é'.repeat(3000)}`,
    `http://${'u'.repeat(3000)}:p@a.example/`,
    `data:text/plain,${'é'.repeat(3000)}`,
    `http://${'a'.repeat(2048)}`,
    `file:///${'é'.repeat(3000)}`,
  ])('URL %# is one', (text) => {
    expect(urlParse(text, undefined)?.split('\n')[0]).toBe(new URL(text).href)
  })

  it('a long path is a relative one', () => {
    const path = 'é'.repeat(3000)
    expect(urlParse(path, 'http://a.example')?.split('\n')[0]).toBe(new URL(path, 'http://a.example').href)
  })
})
