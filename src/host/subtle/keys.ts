// Asymmetric keys of guests. A guest holds them as DER, and hands one over with each use: the host owes it nothing. But OpenSSL takes
// 150 to 600 µs to parse one, so each runtime's last keys are remembered by their bytes: who does not have the bytes gets nothing.

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { HostValue } from '../../guest/host.ts'
import { bytes, flag, list, text, WrongArgument } from './arguments.ts'

/** Parsed keys remembered for one runtime. */
const KEYS_MAX = 16
/** Bits of an RSA modulus: a private operation with 8,192 takes some 40 ms, which nothing can interrupt. */
const RSA_MODULUS_BITS_MAX = 8192
/** Bytes of a key as DER, or characters as JSON: an RSA key of the longest modulus has less than 5,000. */
const KEY_BYTES_MAX = 16_384

/** What a prime of an RSA key may have beyond half of the modulus. */
const PRIME_BITS_SLACK = 8
/** Kinds of keys that some operation takes. Others (DH, DSA) have parameters of any size, and cost accordingly. */
const TYPES: ReadonlySet<string> = new Set(['rsa', 'ec', 'ed25519', 'ed448', 'x25519', 'x448'])

type Values = readonly HostValue[]

interface Curve {
  /** `asymmetricKeyType` of its keys. */
  readonly type: 'ec' | 'ed25519' | 'ed448' | 'x25519' | 'x448'
  /** OpenSSL's name of an elliptic curve. */
  readonly named?: string
  /** What stands before a point in SPKI (RFC 5480, RFC 8410). */
  readonly spki: Buffer
  readonly pointBytes: number
}

const CURVES: ReadonlyMap<string, Curve> = new Map<string, Curve>([
  ['P-256', ec('prime256v1', '3059301306072a8648ce3d020106082a8648ce3d030107034200', 65)],
  ['P-384', ec('secp384r1', '3076301006072a8648ce3d020106052b81040022036200', 97)],
  ['P-521', ec('secp521r1', '30819b301006072a8648ce3d020106052b8104002303818600', 133)],
  ['Ed25519', { type: 'ed25519', spki: Buffer.from('302a300506032b6570032100', 'hex'), pointBytes: 32 }],
  ['Ed448', { type: 'ed448', spki: Buffer.from('3043300506032b6571033a00', 'hex'), pointBytes: 57 }],
  ['X25519', { type: 'x25519', spki: Buffer.from('302a300506032b656e032100', 'hex'), pointBytes: 32 }],
  ['X448', { type: 'x448', spki: Buffer.from('3042300506032b656f033900', 'hex'), pointBytes: 56 }],
])

function ec(named: string, spki: string, pointBytes: number): Curve {
  return { type: 'ec', named, spki: Buffer.from(spki, 'hex'), pointBytes }
}

function curve(value: HostValue): Curve {
  const found = CURVES.get(text(value))
  if (found === undefined) throw new WrongArgument('no such curve')
  return found
}

function keyBytes(value: HostValue): Buffer {
  const der = bytes(value)
  if (der.length > KEY_BYTES_MAX) throw new WrongArgument('too long for a key')
  return Buffer.from(der.buffer, der.byteOffset, der.length)
}

function parse(isPrivate: boolean, key: Buffer): KeyObject {
  return isPrivate
    ? createPrivateKey({ key, format: 'der', type: 'pkcs8' })
    : createPublicKey({ key, format: 'der', type: 'spki' })
}

/** Refuses a key whose use could take long: what OpenSSL has begun, nothing can interrupt. */
function checkCost(key: KeyObject): void {
  if (!TYPES.has(key.asymmetricKeyType ?? '')) throw new WrongArgument('no operation has such keys')
  const { modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  if (modulusLength > RSA_MODULUS_BITS_MAX) throw new WrongArgument('too long a modulus')
  if (key.asymmetricKeyType === 'rsa' && key.type === 'private') checkPrimes(key, modulusLength)
}

/**
 * OpenSSL takes a private key's primes and exponents as they come, however long, and reckons with them instead of the modulus: 16 KB of
 * key are ten seconds. With p q = n there is no third prime either.
 */
function checkPrimes(key: KeyObject, modulusBits: number): void {
  const { n, p, q, dp, dq, qi } = key.export({ format: 'jwk' })
  const [modulus, first, second, ...others] = [n, p, q, dp, dq, qi].map((part) =>
    Buffer.from(part!, 'base64url'),
  )
  const bytesMax = Math.ceil((modulusBits / 2 + PRIME_BITS_SLACK) / 8)
  if ([first!, second!, ...others].some(({ length }) => length > bytesMax))
    throw new WrongArgument('a prime or exponent is too long')
  if (bigintOf(first!) * bigintOf(second!) !== bigintOf(modulus!))
    throw new WrongArgument('these are not the primes of the modulus')
}

const bigintOf = (bytes: Buffer): bigint => BigInt(`0x0${bytes.toString('hex')}`)

/** The parsed keys of one runtime. */
export class ParsedKeys {
  readonly #keys = new LRUCache<string, KeyObject>({ max: KEYS_MAX })

  private(value: HostValue): KeyObject {
    return this.#get(true, value)
  }

  public(value: HostValue): KeyObject {
    return this.#get(false, value)
  }

  #get(isPrivate: boolean, value: HostValue): KeyObject {
    const der = keyBytes(value)
    const name = `${isPrivate ? 'private' : 'public'}:${der.toString('latin1')}`
    const known = this.#keys.get(name)
    if (known !== undefined) return known
    const key = parse(isPrivate, der)
    checkCost(key)
    this.#keys.set(name, key)
    return key
  }
}

export function generate([name]: Values): Uint8Array {
  const { type, named } = curve(name)
  const pair =
    type === 'ec' ? generateKeyPairSync('ec', { namedCurve: named! }) : generateKeyPairSync(type as 'ed25519')
  return list(toDer(pair.privateKey), toDer(pair.publicKey))
}

export function toDer(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: key.type === 'private' ? 'pkcs8' : 'spki' } as {
    format: 'der'
    type: 'spki'
  })
}

export function importDer([kind, isPrivate, der]: Values): Uint8Array {
  return describe(text(kind), parse(flag(isPrivate), keyBytes(der)))
}

export function importJwk([kind, isPrivate, json]: Values): Uint8Array {
  const source = text(json)
  if (source.length > KEY_BYTES_MAX) throw new WrongArgument('too long for a key')
  const key = JSON.parse(source) as Record<string, string>
  const input = { key, format: 'jwk' } as const
  const parsed = flag(isPrivate) ? createPrivateKey(input) : createPublicKey(input)
  if (flag(isPrivate)) checkPublicPart(parsed, key)
  return describe(text(kind), parsed)
}

/** Node takes a private key's members without a look at whether the public ones belong to them. */
function checkPublicPart(key: KeyObject, { x, y }: Record<string, string>): void {
  if (key.asymmetricKeyType === 'rsa') return
  const again = parse(true, toDer(key)).export({ format: 'jwk' })
  if (again.x !== x || again.y !== y) throw new WrongArgument('the public part is that of another key')
}

export function importRaw([kind, point]: Values): Uint8Array {
  const { spki, pointBytes, type } = curve(kind)
  const raw = bytes(point)
  // A compressed point would need another head: node:crypto makes it whole on the way through JWK, as describe() does.
  if (raw.length !== pointBytes) {
    if (type !== 'ec' || raw.length !== (pointBytes + 1) / 2) throw new WrongArgument('no point of the curve')
    return describe(text(kind), parse(false, shortened(spki, raw, pointBytes)))
  }
  return describe(text(kind), parse(false, Buffer.concat([spki, raw])))
}

/** SPKI with a compressed point: the lengths in its head are those of a shorter content. */
function shortened(spki: Buffer, raw: Uint8Array, pointBytes: number): Buffer {
  const algorithm = spki.subarray(spki.indexOf(0x30, 1), spki.lastIndexOf(0x03))
  const content = Buffer.concat([algorithm, Buffer.from([0x03, raw.length + 1, 0x00]), raw])
  if (content.length > 127 || pointBytes > 133) throw new WrongArgument('no point of the curve')
  return Buffer.concat([Buffer.from([0x30, content.length]), content])
}

/** The key in the form it has in the guest, if it is one of that kind: IMPORT_JWK of subtle-ops.ts. */
function describe(kind: string, key: KeyObject): Uint8Array {
  checkCost(key)
  const details = key.asymmetricKeyDetails ?? {}
  if (kind === 'RSA') {
    const { modulusLength = 0, publicExponent = 0n } = details
    if (key.asymmetricKeyType !== 'rsa') throw new WrongArgument('no RSA key')
    const hex = publicExponent.toString(16)
    const exponent = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
    return list(toDer(key), exponent, Buffer.from(String(modulusLength)))
  }
  const { type, named, spki, pointBytes } = curve(kind)
  if (key.asymmetricKeyType !== type || details.namedCurve !== named)
    throw new WrongArgument('another kind of key')
  if (type !== 'ec' || key.type === 'private') return list(toDer(key))
  const der = toDer(key)
  if (der.length === spki.length + pointBytes) return list(der)
  return list(toDer(createPublicKey({ key: key.export({ format: 'jwk' }), format: 'jwk' })))
}

export function exportJwk(keys: ParsedKeys, [isPrivate, der]: Values): string {
  const key = flag(isPrivate) ? keys.private(der) : keys.public(der)
  return JSON.stringify(key.export({ format: 'jwk' }))
}
