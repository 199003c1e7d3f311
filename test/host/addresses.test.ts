import { expect, test } from 'vitest'
import { isListed, networks, specialKind } from '../../src/host/fetch/addresses.ts'

test.each([
  ['127.0.0.1', 'loopback'],
  ['127.255.255.254', 'loopback'],
  ['0.0.0.0', 'unspecified'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'shared'],
  ['100.127.255.255', 'shared'],
  ['169.254.169.254', 'link-local'],
  ['168.63.129.16', 'metadata'],
  ['224.0.0.1', 'multicast'],
  ['239.255.255.255', 'multicast'],
  ['255.255.255.255', 'reserved'],
  ['198.18.0.1', 'reserved'],
  ['::1', 'loopback'],
  ['::', 'unspecified'],
  ['fe80::1', 'link-local'],
  ['febf::1', 'link-local'],
  ['fd00:ec2::254', 'private'],
  ['fec0::1', 'private'],
  ['ff02::1', 'multicast'],
  ['2001:db8::1', 'reserved'],
  ['::ffff:127.0.0.1', 'loopback'],
  ['::ffff:7f00:1', 'loopback'],
  ['0:0:0:0:0:ffff:a00:1', 'private'],
  ['::127.0.0.1', 'loopback'],
  ['64:ff9b::169.254.169.254', 'link-local'],
  ['64:ff9b::a00:1', 'private'],
  ['64:ff9b:1::7f00:1', 'loopback'],
  ['64:ff9b:1:7f00:0:100:808:808', 'reserved'],
  ['::ffff:0:7f00:1', 'reserved'],
  ['::ffff:0:808:808', 'reserved'],
  ['4000::1', 'reserved'],
  ['2002:7f00:1::', 'loopback'],
  ['2002:a9fe:a9fe::1', 'link-local'],
])('%s is %s', (address, kind) => {
  expect(specialKind(address)).toBe(kind)
})

test.each([
  '1.1.1.1',
  '8.8.8.8',
  '172.32.0.1',
  '172.15.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '64:ff9b::808:808',
  '2002:808:808::1',
  '::ffff:8.8.8.8',
])('%s is of the internet', (address) => {
  expect(specialKind(address)).toBeUndefined()
})

test('listed networks hold their addresses, also as IPv6 writes them', () => {
  const listed = networks(['10.1.0.0/16', 'fd00::/8', '192.168.7.7'])
  for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd12::1', '192.168.7.7', '64:ff9b::10.1.2.3']) {
    expect(isListed(listed, address), address).toBe(true)
  }
  for (const address of ['10.2.0.1', '::ffff:10.2.0.1', '192.168.7.8', 'fe80::1', '127.0.0.1']) {
    expect(isListed(listed, address), address).toBe(false)
  }
})
