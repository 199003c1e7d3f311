import { describe, expect, test } from 'vitest'
import { AllowList, isNetwork, isRule } from '../../src/host/fetch/rules.ts'

describe('entries of the allow-list', () => {
  test.each([
    'https://api.example.com',
    'https://*.example.com:8443',
    'http://127.0.0.1:9000',
    'http://[::1]:*',
    'https://*',
    '*://*',
    '*://*:*',
    'http://localhost',
    'https://EXAMPLE.com',
  ])('%s is one', (text) => {
    expect(isRule(text)).toBe(true)
  })

  test.each([
    '',
    'example.com',
    'ftp://example.com',
    'https://example.com/',
    'https://example.com/path',
    'https://user@example.com',
    'https://ex*mple.com',
    'https://*.*.example.com',
    'https://example.com:',
    'https://example.com:99999',
    'https://*.1.2.3.4',
    'https:// example.com',
    'https://[::1',
  ])('%j is none', (text) => {
    expect(isRule(text)).toBe(false)
  })

  test.each([
    ['https://api.example.com', 'https://api.example.com/x?y', true],
    ['https://api.example.com', 'https://API.example.com', true],
    ['https://api.example.com', 'https://api.example.com.', true],
    ['https://api.example.com', 'https://api.example.com:443', true],
    ['https://api.example.com', 'http://api.example.com', false],
    ['https://api.example.com', 'https://api.example.com:8443', false],
    ['https://api.example.com', 'https://evil-api.example.com', false],
    ['https://*.example.com', 'https://a.example.com', true],
    ['https://*.example.com', 'https://a.b.example.com', true],
    ['https://*.example.com', 'https://example.com', false],
    ['https://*.example.com', 'https://evilexample.com', false],
    ['https://*.example.com', 'https://a.example.com.evil.net', false],
    ['http://*', 'http://anything', true],
    ['http://*', 'http://anything:81', false],
    ['http://*:*', 'http://anything:81', true],
    ['*://one.test', 'https://one.test', true],
    ['*://one.test', 'http://one.test', true],
    ['http://127.0.0.1:9000', 'http://2130706433:9000', true],
    ['http://127.0.0.1:9000', 'http://0177.0.0.1:9000', true],
    ['http://127.0.0.1:9000', 'http://127.0.0.2:9000', false],
    ['http://[::1]', 'http://[0:0::1]', true],
  ])('%s for %s: %s', (entry, url, isAllowed) => {
    expect(new AllowList([entry]).allows(new URL(url))).toBe(isAllowed)
  })

  test('with none, nothing', () => {
    expect(new AllowList([]).allows(new URL('https://example.com'))).toBe(false)
  })

  test('an address is listed when it stands there as one', () => {
    const list = new AllowList(['http://127.0.0.1:1', 'http://*', 'https://[::1]'])
    expect(list.addressOf(new URL('http://0x7f.1:1'))).toBe('127.0.0.1')
    expect(list.addressOf(new URL('https://[::1]'))).toBe('::1')
    expect(list.addressOf(new URL('http://10.0.0.1'))).toBeUndefined()
    expect(list.addressOf(new URL('http://localhost'))).toBeUndefined()
  })

  test('an address that is listed with one port is no listed one with another, whatever else is allowed', () => {
    const list = new AllowList(['http://127.0.0.1:9000', '*://*:*'])
    expect(list.addressOf(new URL('http://127.0.0.1:9000'))).toBe('127.0.0.1')
    expect(list.addressOf(new URL('http://127.0.0.1:22'))).toBeUndefined()
    expect(list.addressOf(new URL('https://127.0.0.1:9000'))).toBeUndefined()
  })
})

test('networks are addresses, or with a length that they can have', () => {
  for (const text of ['10.0.0.1', '10.0.0.0/8', '::1', 'fd00::/8', '0.0.0.0/0'])
    expect(isNetwork(text), text).toBe(true)
  for (const text of [
    '',
    '10.0.0.0/33',
    '::/129',
    '10.0/8',
    'host',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    'fe80::1%lo',
  ])
    expect(isNetwork(text), text).toBe(false)
})
