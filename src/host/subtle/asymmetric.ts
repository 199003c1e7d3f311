// Signatures, RSA-OAEP and key agreement. With the moduli that are taken none needs more than some 40 ms: done at once.

import type { KeyObject } from 'node:crypto'
import {
  constants,
  diffieHellman,
  privateDecrypt,
  publicEncrypt,
  type SignKeyObjectInput,
  sign as signBytes,
  verify as verifyBytes,
} from 'node:crypto'
import type { HostValue } from '../../guest/host.ts'
import { bytes, hash, text, WrongArgument, whole } from './arguments.ts'
import type { ParsedKeys } from './keys.ts'

type Values = readonly HostValue[]

const SALT_BYTES_MAX = 1024

/** How node:crypto is asked for a signature by this algorithm, with a key that must be one for it. */
function scheme(algorithm: string, key: KeyObject, salt: HostValue): SignKeyObjectInput {
  const { asymmetricKeyType: type } = key
  switch (algorithm) {
    case 'RSASSA-PKCS1-v1_5':
      if (type === 'rsa') return { key, padding: constants.RSA_PKCS1_PADDING }
      break
    case 'RSA-PSS':
      if (type === 'rsa') {
        return { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: whole(salt, 0, SALT_BYTES_MAX) }
      }
      break
    case 'ECDSA':
      if (type === 'ec') return { key, dsaEncoding: 'ieee-p1363' }
      break
    case 'Ed25519':
    case 'Ed448':
      if (type === algorithm.toLowerCase()) return { key }
      break
  }
  throw new WrongArgument('no key of this algorithm')
}

/** The Edwards curves have a hash of their own. */
function hashOrNone(value: HostValue): string | null {
  return value === '' ? null : hash(value)
}

export function sign(keys: ParsedKeys, [algorithm, name, key, data, salt]: Values): Uint8Array {
  return signBytes(hashOrNone(name), bytes(data), scheme(text(algorithm), keys.private(key), salt))
}

export function verify(keys: ParsedKeys, [algorithm, name, key, data, salt, signature]: Values): number {
  const input = scheme(text(algorithm), keys.public(key), salt)
  return verifyBytes(hashOrNone(name), bytes(data), input, bytes(signature)) ? 1 : 0
}

function oaep(name: HostValue, key: KeyObject, label: HostValue) {
  if (key.asymmetricKeyType !== 'rsa') throw new WrongArgument('no RSA key')
  return {
    key,
    padding: constants.RSA_PKCS1_OAEP_PADDING,
    oaepHash: hash(name),
    oaepLabel: Buffer.from(bytes(label)),
  }
}

export function oaepEncrypt(keys: ParsedKeys, [name, key, data, label]: Values): Uint8Array {
  return publicEncrypt(oaep(name, keys.public(key), label), bytes(data))
}

export function oaepDecrypt(keys: ParsedKeys, [name, key, data, label]: Values): Uint8Array {
  return privateDecrypt(oaep(name, keys.private(key), label), bytes(data))
}

/** The shared secret of two keys of one curve. */
export function agree(keys: ParsedKeys, [privateKey, publicKey]: Values): Uint8Array {
  return diffieHellman({ privateKey: keys.private(privateKey), publicKey: keys.public(publicKey) })
}
