// Hashes, HMAC, AES and HKDF: what costs microseconds is done at once, on the time of the guest that asks.

import {
  type CipherGCM,
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  type DecipherGCM,
  hkdfSync,
  timingSafeEqual,
} from 'node:crypto'
import type { HostValue } from '../../guest/host.ts'
import { bytes, flag, hash, WrongArgument, whole } from './arguments.ts'

const BLOCK_BYTES = 16
const TAG_BYTES: ReadonlySet<number> = new Set([4, 8, 12, 13, 14, 15, 16])
/** RFC 3394, section 2.2.3.1: the initial value that an unwrapped key is checked by. */
const KW_INITIAL = Buffer.alloc(8, 0xa6)
/** RFC 5869, section 2.3: the output has at most so many hashes. */
const HKDF_HASHES_MAX = 255
const HASH_BYTES_MAX = 64

type Values = readonly HostValue[]

export function digest([name, data]: Values): Uint8Array {
  return createHash(hash(name)).update(bytes(data)).digest()
}

export function hmac([name, key, data]: Values): Uint8Array {
  return createHmac(hash(name), bytes(key)).update(bytes(data)).digest()
}

export function hmacVerify([name, key, data, signature]: Values): number {
  const expected = hmac([name, key, data])
  const given = bytes(signature)
  return given.length === expected.length && timingSafeEqual(given, expected) ? 1 : 0
}

/** The cipher of this mode for a key of this length. */
function cipherOf(key: Uint8Array, mode: string): string {
  if (key.length !== 16 && key.length !== 24 && key.length !== 32) throw new WrongArgument('no AES key')
  return mode === 'wrap' ? `id-aes${key.length * 8}-wrap` : `aes-${key.length * 8}-${mode}`
}

function run(
  encrypts: boolean,
  cipher: string,
  key: Uint8Array,
  iv: Uint8Array,
  data: Uint8Array,
): Uint8Array {
  const stream = encrypts ? createCipheriv(cipher, key, iv) : createDecipheriv(cipher, key, iv)
  const head = stream.update(data)
  const tail = stream.final()
  return tail.length === 0 ? head : Buffer.concat([head, tail])
}

export function aesCbc([encrypts, key, iv, data]: Values): Uint8Array {
  const secret = bytes(key)
  return run(flag(encrypts), cipherOf(secret, 'cbc'), secret, bytes(iv), bytes(data))
}

export function aesKw([wraps, key, data]: Values): Uint8Array {
  const secret = bytes(key)
  return run(flag(wraps), cipherOf(secret, 'wrap'), secret, KW_INITIAL, bytes(data))
}

/**
 * OpenSSL counts with the whole block, the standard with its last bits only. So where those pass their highest value the text is
 * done in two parts; a text of more blocks than they can count has no encryption.
 */
export function aesCtr([key, counter, countingBits, data]: Values): Uint8Array {
  const secret = bytes(key)
  const cipher = cipherOf(secret, 'ctr')
  const block = bytes(counter)
  if (block.length !== BLOCK_BYTES) throw new WrongArgument('a counter block has 16 bytes')
  const content = bytes(data)
  const size = 1n << BigInt(whole(countingBits, 1, 128))
  const blocks = BigInt(Math.ceil(content.length / BLOCK_BYTES))
  if (blocks > size) throw new WrongArgument('the counter would repeat')
  const start = BigInt(`0x${Buffer.from(block).toString('hex')}`)
  const untilWrap = size - (start % size)
  if (blocks <= untilWrap) return run(true, cipher, secret, block, content)
  const at = Number(untilWrap) * BLOCK_BYTES
  const wrapped = Buffer.from((start - (start % size)).toString(16).padStart(2 * BLOCK_BYTES, '0'), 'hex')
  return Buffer.concat([
    run(true, cipher, secret, block, content.subarray(0, at)),
    run(true, cipher, secret, wrapped, content.subarray(at)),
  ])
}

export function aesGcm([encrypts, key, iv, data, additional, tagBytes]: Values): Uint8Array {
  const secret = bytes(key)
  const cipher = cipherOf(secret, 'gcm') as 'aes-128-gcm'
  const authTagLength = whole(tagBytes, 4, 16)
  if (!TAG_BYTES.has(authTagLength)) throw new WrongArgument('no length of a tag')
  const content = bytes(data)
  const options = { authTagLength }
  if (flag(encrypts)) {
    const stream: CipherGCM = createCipheriv(cipher, secret, bytes(iv), options)
    stream.setAAD(bytes(additional))
    return Buffer.concat([stream.update(content), stream.final(), stream.getAuthTag()])
  }
  if (content.length < authTagLength) throw new WrongArgument('shorter than its tag')
  const end = content.length - authTagLength
  const stream: DecipherGCM = createDecipheriv(cipher, secret, bytes(iv), options)
  stream.setAAD(bytes(additional))
  stream.setAuthTag(content.subarray(end))
  return Buffer.concat([stream.update(content.subarray(0, end)), stream.final()])
}

export function hkdf([name, key, salt, info, wanted]: Values): Uint8Array {
  const count = whole(wanted, 0, HKDF_HASHES_MAX * HASH_BYTES_MAX)
  if (count === 0) return new Uint8Array(0)
  return new Uint8Array(hkdfSync(hash(name), bytes(key), bytes(salt), bytes(info), count))
}

export function toBase64url([data]: Values): string {
  return Buffer.from(bytes(data)).toString('base64url')
}
