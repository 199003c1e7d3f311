// W3C Web Cryptography, section 14: the methods, each with the steps of the standard. What algorithms do is in the files beside.
import { finishInterface } from '../webidl.ts'
import type { KeyFormat, KeyPair } from './algorithm.ts'
import { dataError, decodeText, encodeText, invalidAccess, syntaxError } from './host.ts'
import { isBufferSource, needArguments, toBytes, toEnum, toSequence, unsignedLong } from './idl.ts'
import { readJwk } from './jwk.ts'
import { type CryptoKey, isKey, type KeyState, keyState, USAGES, type Usage } from './key.ts'
import { normalize, operationOf, supports } from './registry.ts'

type Bytes = ArrayBuffer

const FORMATS: readonly KeyFormat[] = ['raw', 'spki', 'pkcs8', 'jwk']
const toFormat = (value: unknown) => toEnum(value, FORMATS, 'format of a key')
const toUsages = (value: unknown): Usage[] =>
  toSequence(value, 'keyUsages', (item) => toEnum(item, USAGES, 'usage of a key'))

const OWN = Symbol('own')

/** Throws unless the key is of this algorithm and may be used so. */
function checkKey({ algorithm, usages }: KeyState, name: string, usage: Usage): void {
  if (algorithm.name !== name) throw invalidAccess(`the key is one for ${algorithm.name}`)
  if (!usages.includes(usage)) throw invalidAccess(`the key does not have the usage ${usage}`)
}

/** A secret or private key that nothing can be done with is an error. */
function needUsages(key: CryptoKey): CryptoKey {
  const { type, usages } = keyState(key)
  if (type !== 'public' && usages.length === 0) throw syntaxError('the key would have no usage')
  return key
}

/** What `importKey` is given, in the form that its format asks for. */
function toKeyData(format: KeyFormat, data: unknown): unknown {
  const isBytes = isBufferSource(data)
  if (format !== 'jwk') return toBytes(data, 'keyData')
  if (isBytes || typeof data !== 'object' || data === null)
    throw new TypeError('keyData must be a JSON Web Key')
  return readJwk(data)
}

class SubtleCrypto {
  readonly #isOwn: boolean

  constructor(...given: unknown[]) {
    if (given[0] !== OWN) throw new TypeError('SubtleCrypto cannot be constructed: use crypto.subtle')
    this.#isOwn = true
  }

  #check(given: number, needed: number, method: string): void {
    if (this.#isOwn) needArguments(given, needed, method)
  }

  async encrypt(algorithm: unknown, key: unknown, data: unknown): Promise<Bytes> {
    this.#check(arguments.length, 3, 'encrypt')
    const state = keyState(key)
    const bytes = toBytes(data, 'data')
    const { name, operation, params } = normalize('encrypt', algorithm)
    checkKey(state, name, 'encrypt')
    return operation.run(params, state, bytes)
  }

  async decrypt(algorithm: unknown, key: unknown, data: unknown): Promise<Bytes> {
    this.#check(arguments.length, 3, 'decrypt')
    const state = keyState(key)
    const bytes = toBytes(data, 'data')
    const { name, operation, params } = normalize('decrypt', algorithm)
    checkKey(state, name, 'decrypt')
    return operation.run(params, state, bytes)
  }

  async sign(algorithm: unknown, key: unknown, data: unknown): Promise<Bytes> {
    this.#check(arguments.length, 3, 'sign')
    const state = keyState(key)
    const bytes = toBytes(data, 'data')
    const { name, operation, params } = normalize('sign', algorithm)
    checkKey(state, name, 'sign')
    return operation.run(params, state, bytes)
  }

  async verify(algorithm: unknown, key: unknown, signature: unknown, data: unknown): Promise<boolean> {
    this.#check(arguments.length, 4, 'verify')
    const state = keyState(key)
    const given = toBytes(signature, 'signature')
    const bytes = toBytes(data, 'data')
    const { name, operation, params } = normalize('verify', algorithm)
    checkKey(state, name, 'verify')
    return operation.run(params, state, given, bytes)
  }

  async digest(algorithm: unknown, data: unknown): Promise<Bytes> {
    this.#check(arguments.length, 2, 'digest')
    const bytes = toBytes(data, 'data')
    const { operation, params } = normalize('digest', algorithm)
    return operation.run(params, bytes)
  }

  async generateKey(
    algorithm: unknown,
    extractable: unknown,
    keyUsages: unknown,
  ): Promise<CryptoKey | KeyPair> {
    this.#check(arguments.length, 3, 'generateKey')
    const usages = toUsages(keyUsages)
    const { operation, params } = normalize('generateKey', algorithm)
    const made = await operation.run(params, Boolean(extractable), usages)
    return isKey(made) ? needUsages(made) : made
  }

  async deriveKey(
    algorithm: unknown,
    baseKey: unknown,
    derivedKeyType: unknown,
    extractable: unknown,
    keyUsages: unknown,
  ): Promise<CryptoKey> {
    this.#check(arguments.length, 5, 'deriveKey')
    const base = keyState(baseKey, 'baseKey')
    const usages = toUsages(keyUsages)
    const { name, operation, params } = normalize('deriveBits', algorithm)
    const target = normalize('importKey', derivedKeyType)
    const length = normalize('getKeyLength', derivedKeyType)
    checkKey(base, name, 'deriveKey')
    const bits = length.operation.run(length.params)
    const secret = await operation.run(params, base, bits)
    return needUsages(target.operation.run(target.params, 'raw', secret, Boolean(extractable), usages))
  }

  async deriveBits(algorithm: unknown, baseKey: unknown, length: unknown = null): Promise<Bytes> {
    this.#check(arguments.length, 2, 'deriveBits')
    const base = keyState(baseKey, 'baseKey')
    const bits = length === null ? null : (unsignedLong(length, 'length') as number)
    const { name, operation, params } = normalize('deriveBits', algorithm)
    checkKey(base, name, 'deriveBits')
    return operation.run(params, base, bits)
  }

  async importKey(
    format: unknown,
    keyData: unknown,
    algorithm: unknown,
    extractable: unknown,
    keyUsages: unknown,
  ): Promise<CryptoKey> {
    this.#check(arguments.length, 5, 'importKey')
    const kind = toFormat(format)
    const usages = toUsages(keyUsages)
    const data = toKeyData(kind, keyData)
    const { operation, params } = normalize('importKey', algorithm)
    return needUsages(operation.run(params, kind, data, Boolean(extractable), usages))
  }

  async exportKey(format: unknown, key: unknown): Promise<Bytes | object> {
    this.#check(arguments.length, 2, 'exportKey')
    const kind = toFormat(format)
    const state = keyState(key)
    const { run } = operationOf('exportKey', state.algorithm.name)
    if (!state.extractable) throw invalidAccess('the key is not extractable')
    return run(state, kind)
  }

  async wrapKey(format: unknown, key: unknown, wrappingKey: unknown, wrapAlgorithm: unknown): Promise<Bytes> {
    this.#check(arguments.length, 4, 'wrapKey')
    const kind = toFormat(format)
    const state = keyState(key)
    const wrapping = keyState(wrappingKey, 'wrappingKey')
    const { name, operation, params } = normalize(
      supports('wrapKey', wrapAlgorithm) ? 'wrapKey' : 'encrypt',
      wrapAlgorithm,
    )
    checkKey(wrapping, name, 'wrapKey')
    const { run } = operationOf('exportKey', state.algorithm.name)
    if (!state.extractable) throw invalidAccess('the key is not extractable')
    const exported = run(state, kind)
    const bytes = kind === 'jwk' ? encodeText(JSON.stringify(exported)) : (exported as Bytes)
    return operation.run(params, wrapping, bytes)
  }

  async unwrapKey(
    format: unknown,
    wrappedKey: unknown,
    unwrappingKey: unknown,
    unwrapAlgorithm: unknown,
    unwrappedKeyAlgorithm: unknown,
    extractable: unknown,
    keyUsages: unknown,
  ): Promise<CryptoKey> {
    this.#check(arguments.length, 7, 'unwrapKey')
    const kind = toFormat(format)
    const unwrapping = keyState(unwrappingKey, 'unwrappingKey')
    const usages = toUsages(keyUsages)
    const wrapped = toBytes(wrappedKey, 'wrappedKey')
    const cipher = normalize(
      supports('unwrapKey', unwrapAlgorithm) ? 'unwrapKey' : 'decrypt',
      unwrapAlgorithm,
    )
    const { operation, params } = normalize('importKey', unwrappedKeyAlgorithm)
    checkKey(unwrapping, cipher.name, 'unwrapKey')
    const bytes = cipher.operation.run(cipher.params, unwrapping, wrapped)
    const data = kind === 'jwk' ? parseJwk(bytes) : bytes
    return needUsages(operation.run(params, kind, data, Boolean(extractable), usages))
  }
}
finishInterface(SubtleCrypto, 'SubtleCrypto')

function parseJwk(bytes: Bytes): unknown {
  let value: unknown
  try {
    value = JSON.parse(decodeText(bytes) ?? '')
  } catch {
    throw dataError('the key is no JSON')
  }
  if (typeof value !== 'object' || value === null) throw dataError('the key is no JSON Web Key')
  return readJwk(value)
}

export const subtle = new SubtleCrypto(OWN)
export { SubtleCrypto }
