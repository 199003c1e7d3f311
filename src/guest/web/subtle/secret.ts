// Secret keys: HMAC, and AES in four modes.
import { host, refuseAtTopLevel } from '../../bridge.ts'
import { OP } from '../../ops.ts'
import { SUBTLE } from '../../subtle-ops.ts'
import type { Algorithm, KeyFormat } from './algorithm.ts'
import { checkUsages } from './checks.ts'
import { BLOCK_BITS, hash, hashJwkName } from './hash.ts'
import { ask, askBytes, byteLength, dataError, notSupported, operationError } from './host.ts'
import { octet, type Params, toBytes, unsignedLong, unsignedShort } from './idl.ts'
import { checkJwk, commonMembers, decodeMember, encodeMember, type Jwk } from './jwk.ts'
import { type KeyState, newKey, type Usage } from './key.ts'

function randomBytes(count: number): ArrayBuffer {
  refuseAtTopLevel('a new key')
  return host(OP.RANDOM, count) as ArrayBuffer
}

/** Bytes of the longest HMAC key that is made: what one call of the host's gives. */
const HMAC_GENERATED_BYTES_MAX = 65_536

const HMAC_USAGES: readonly Usage[] = ['sign', 'verify']

/** Of a key that was not given a length: the block size of its hash. */
function hmacBits({ length, hash: name }: Params): number {
  return (length as number | undefined) ?? BLOCK_BITS[name as string]!
}

export const hmac: Algorithm = {
  name: 'HMAC',
  sign: {
    params: [],
    run: (_, { algorithm, data }, text) => askBytes(SUBTLE.HMAC, algorithm.hash!, data, text),
  },
  verify: {
    params: [],
    run: (_, { algorithm, data }, signature, text) =>
      ask(SUBTLE.HMAC_VERIFY, algorithm.hash!, data, text, signature) === 1,
  },
  generateKey: {
    params: [
      ['hash!', hash],
      ['length', unsignedLong],
    ],
    run(params, extractable, usages) {
      checkUsages(usages, HMAC_USAGES)
      const length = hmacBits(params)
      const count = Math.ceil(length / 8)
      if (length === 0 || count > HMAC_GENERATED_BYTES_MAX) throw operationError('no length of an HMAC key')
      const data = randomBytes(count)
      if (length % 8 !== 0) new Uint8Array(data)[count - 1]! &= 0xff << (8 - (length % 8))
      const algorithm = { name: 'HMAC', hash: params['hash'] as string, length }
      return newKey('secret', extractable, algorithm, usages, HMAC_USAGES, data)
    },
  },
  importKey: {
    params: [
      ['hash!', hash],
      ['length', unsignedLong],
    ],
    run(params, format, given, extractable, usages) {
      checkUsages(usages, HMAC_USAGES)
      const name = params['hash'] as string
      const data = secretBytes(format, given, 'sig', extractable, usages, () => hashJwkName('HS', name))
      const bits = 8 * byteLength(data)
      if (bits === 0) throw dataError('the key is empty')
      const length = (params['length'] as number | undefined) ?? bits
      if (length > bits || length <= bits - 8) throw dataError('the length is not that of the key')
      return newKey('secret', extractable, { name: 'HMAC', hash: name, length }, usages, HMAC_USAGES, data)
    },
  },
  exportKey: {
    params: [],
    run: (key, format) => exportSecret(key, format, hashJwkName('HS', key.algorithm.hash!)),
  },
  getKeyLength: {
    params: [
      ['hash!', hash],
      ['length', unsignedLong],
    ],
    run(params) {
      const bits = hmacBits(params)
      if (bits === 0) throw new TypeError('an HMAC key cannot have no bits')
      return bits
    },
  },
}

/** The bytes of a secret key in one of its two formats. `alg`: what the member of this name must be. */
function secretBytes(
  format: KeyFormat,
  given: unknown,
  use: string,
  extractable: boolean,
  usages: readonly Usage[],
  alg: (bytes: number) => string,
): ArrayBuffer {
  if (format === 'raw') return given as ArrayBuffer
  if (format !== 'jwk') throw notSupported(`a secret key has no format ${format}`)
  const jwk = given as Jwk
  if (jwk['kty'] !== 'oct') throw dataError("the key's kty must be oct")
  const data = decodeMember(jwk, 'k')
  checkJwk(jwk, 'oct', use, extractable, usages)
  if (jwk['alg'] !== undefined && jwk['alg'] !== alg(byteLength(data)))
    throw dataError("the key's alg is another")
  return data
}

function exportSecret(key: KeyState, format: KeyFormat, alg: string): ArrayBuffer | object {
  if (format === 'raw') return key.data.slice(0)
  if (format === 'jwk') return { kty: 'oct', k: encodeMember(key.data), alg, ...commonMembers(key) }
  throw notSupported(`a secret key has no format ${format}`)
}

const AES_BITS: readonly unknown[] = [128, 192, 256]
const CIPHER_USAGES: readonly Usage[] = ['encrypt', 'decrypt', 'wrapKey', 'unwrapKey']
const WRAP_USAGES: readonly Usage[] = ['wrapKey', 'unwrapKey']

/** What all modes of AES share. `mode`: the end of its names in JSON Web Algorithms. */
function aes(name: string, mode: string, allowed: readonly Usage[]): Algorithm {
  const jwkName = (bytes: number) => `A${8 * bytes}${mode}`
  return {
    name,
    generateKey: {
      params: [['length!', unsignedShort]],
      run({ length }, extractable, usages) {
        checkUsages(usages, allowed)
        if (!AES_BITS.includes(length)) throw operationError('an AES key has 128, 192 or 256 bits')
        const data = randomBytes((length as number) / 8)
        return newKey('secret', extractable, { name, length: length as number }, usages, allowed, data)
      },
    },
    importKey: {
      params: [],
      run(_, format, given, extractable, usages) {
        checkUsages(usages, allowed)
        const data = secretBytes(format, given, 'enc', extractable, usages, jwkName)
        const length = 8 * byteLength(data)
        if (!AES_BITS.includes(length)) throw dataError('an AES key has 128, 192 or 256 bits')
        return newKey('secret', extractable, { name, length }, usages, allowed, data)
      },
    },
    exportKey: { params: [], run: (key, format) => exportSecret(key, format, jwkName(byteLength(key.data))) },
    getKeyLength: {
      params: [['length!', unsignedShort]],
      run({ length }) {
        if (!AES_BITS.includes(length)) throw operationError('an AES key has 128, 192 or 256 bits')
        return length as number
      },
    },
  }
}

/** An operation both ways: `run` is told whether it encrypts. */
function bothWays(
  params: Algorithm['encrypt'] extends infer O
    ? NonNullable<O extends { params: infer P } ? P : never>
    : never,
  run: (encrypts: number, params: Params, key: KeyState, data: ArrayBuffer) => ArrayBuffer,
): Pick<Algorithm, 'encrypt' | 'decrypt'> {
  return {
    encrypt: { params, run: (given, key, data) => run(1, given, key, data) },
    decrypt: { params, run: (given, key, data) => run(0, given, key, data) },
  }
}

const BLOCK_BYTES = 16

export const aesCbc: Algorithm = {
  ...aes('AES-CBC', 'CBC', CIPHER_USAGES),
  ...bothWays([['iv!', toBytes]], (encrypts, { iv }, key, data) => {
    if (byteLength(iv as ArrayBuffer) !== BLOCK_BYTES) throw operationError('iv must have 16 bytes')
    return askBytes(SUBTLE.AES_CBC, encrypts, key.data, iv as ArrayBuffer, data)
  }),
}

export const aesCtr: Algorithm = {
  ...aes('AES-CTR', 'CTR', CIPHER_USAGES),
  ...bothWays(
    [
      ['counter!', toBytes],
      ['length!', octet],
    ],
    (_, { counter, length }, key, data) => {
      if (byteLength(counter as ArrayBuffer) !== BLOCK_BYTES)
        throw operationError('counter must have 16 bytes')
      return askBytes(SUBTLE.AES_CTR, key.data, counter as ArrayBuffer, length as number, data)
    },
  ),
}

const TAG_BITS: readonly unknown[] = [32, 64, 96, 104, 112, 120, 128]

export const aesGcm: Algorithm = {
  ...aes('AES-GCM', 'GCM', CIPHER_USAGES),
  ...bothWays(
    [
      ['additionalData', toBytes],
      ['iv!', toBytes],
      ['tagLength', octet],
    ],
    (encrypts, { additionalData = new ArrayBuffer(0), iv, tagLength = 128 }, key, data) => {
      if (!TAG_BITS.includes(tagLength))
        throw operationError('tagLength must be 32, 64, 96, 104, 112, 120 or 128')
      const tagBytes = (tagLength as number) / 8
      return askBytes(
        SUBTLE.AES_GCM,
        encrypts,
        key.data,
        iv as ArrayBuffer,
        data,
        additionalData as ArrayBuffer,
        tagBytes,
      )
    },
  ),
}

export const aesKw: Algorithm = {
  ...aes('AES-KW', 'KW', WRAP_USAGES),
  wrapKey: { params: [], run: (_, key, data) => askBytes(SUBTLE.AES_KW, 1, key.data, data) },
  unwrapKey: { params: [], run: (_, key, data) => askBytes(SUBTLE.AES_KW, 0, key.data, data) },
}
