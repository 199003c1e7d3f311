// Which addresses are not the internet's: a function reaches them only where its configuration lists them.

import { BlockList, isIPv4 } from 'node:net'

/** IANA special-purpose registries (RFC 6890 and its updates), multicast, and the metadata services of clouds. */
const SPECIAL: readonly [kind: string, ...networks: string[]][] = [
  ['loopback', '127.0.0.0/8', '::1/128'],
  ['unspecified', '0.0.0.0/8', '::/128'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'],
  ['shared', '100.64.0.0/10'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['metadata', '168.63.129.16/32', '192.0.0.192/32'],
  [
    'reserved',
    ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15', '198.51.100.0/24'],
    ...['203.0.113.0/24', '240.0.0.0/4', '100::/64', '2001::/23', '2001:db8::/32', '3fff::/20', '5f00::/16'],
  ],
]

/** An IPv6 prefix with an IPv4 address behind it: mapped, compatible, NAT64 (two), 6to4. `at`: its first byte. */
const EMBEDDED: readonly { readonly prefix: readonly number[]; readonly at: number }[] = [
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], at: 12 },
  { prefix: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 },
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0], at: 12 },
  { prefix: [0, 0x64, 0xff, 0x9b, 0, 1], at: 12 },
  { prefix: [0x20, 0x02], at: 2 },
]

type Family = 'ipv4' | 'ipv6'
const familyOf = (address: string): Family => (isIPv4(address) ? 'ipv4' : 'ipv6')

/** A list of addresses and networks (`10.0.0.0/8`). @throws Error for what is none. */
export function networks(list: readonly string[]): BlockList {
  const block = new BlockList()
  for (const entry of list) {
    const [address = '', bits] = entry.split('/')
    if (bits === undefined) block.addAddress(address, familyOf(address))
    else block.addSubnet(address, Number(bits), familyOf(address))
  }
  return block
}

const kinds = SPECIAL.map(([kind, ...list]) => ({ kind, block: networks(list) }))
/**
 * All that is given out so far (RFC 4291, section 2.4). What else there is may be translated on the way, as `::ffff:0:0:0/96` is
 * (RFC 7915), or mean something within a network only.
 */
const unicast = networks(['2000::/3'])
/** NAT64 of a network's own (RFC 8215): which four bytes are the IPv4 address is known there only (RFC 6052, section 2.2). */
const ownTranslation = networks(['64:ff9b:1::/48'])

/** The sixteen bytes of an IPv6 address, in any of its spellings. */
function bytesOf(address: string): number[] {
  // The URL parser's form has no dotted part, and one run of zeros left out.
  const plain = new URL(`http://[${address.split('%')[0]}]`).hostname.slice(1, -1)
  const [left = '', right] = plain.split('::')
  const words = (part: string) =>
    part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16))
  const before = words(left)
  const after = right === undefined ? [] : words(right)
  const gap = new Array<number>(8 - before.length - after.length).fill(0)
  return [...before, ...gap, ...after].flatMap((word) => [word >> 8, word & 0xff])
}

/** The IPv4 address that an IPv6 one stands for; undefined for none. */
function embedded(address: string): string | undefined {
  const bytes = bytesOf(address)
  const found = EMBEDDED.find(({ prefix }) => prefix.every((byte, i) => bytes[i] === byte))
  return found === undefined ? undefined : bytes.slice(found.at, found.at + 4).join('.')
}

/** What an address is that is not of the internet; undefined for one that is. */
export function specialKind(address: string): string | undefined {
  const family = familyOf(address)
  const found = kinds.find(({ block }) => block.check(address, family))
  if (found !== undefined) return found.kind
  if (family === 'ipv4') return undefined
  const inner = embedded(address)
  const innerKind = inner === undefined ? undefined : specialKind(inner)
  if (innerKind !== undefined) return innerKind
  if (ownTranslation.check(address, family)) return 'reserved'
  return inner !== undefined || unicast.check(address, family) ? undefined : 'reserved'
}

/** Whether one of the listed networks holds the address, or the IPv4 address that it stands for. */
export function isListed(listed: BlockList, address: string): boolean {
  const family = familyOf(address)
  if (listed.check(address, family)) return true
  const inner = family === 'ipv6' ? embedded(address) : undefined
  return inner !== undefined && listed.check(inner, 'ipv4')
}
