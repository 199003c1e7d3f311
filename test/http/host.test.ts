import { describe, expect, it } from 'vitest'
import { AUTHORITY, checkAuthority } from '../../src/http/host.ts'
import { bytesOf } from './support/bytes.ts'

describe('authority, RFC 3986 3.2.2', () => {
  it.each([
    ['a:80', AUTHORITY.withPort],
    ['[::1]:80', AUTHORITY.withPort],
    ['a', AUTHORITY.withoutPort],
    ['a:', AUTHORITY.withoutPort],
    ['', AUTHORITY.invalid],
    [':80', AUTHORITY.invalid],
  ])('tells whether %j has a port', (text, expected) => {
    expect(checkAuthority(bytesOf(text), 0, text.length)).toBe(expected)
  })

  it('judges nothing but its range', () => {
    for (const text of ['a%41:80', '[::1]', '[1::2.3.4.5]', 'a:80', 'a b']) {
      for (let start = 0; start < text.length; start++) {
        for (let end = start; end <= text.length; end++) {
          const alone = bytesOf(text.slice(start, end))
          const expected = checkAuthority(alone, 0, alone.length)
          expect(checkAuthority(bytesOf(text), start, end)).toBe(expected)
        }
      }
    }
  })
})
