import { registerSerializable } from '../serializable.ts'
import { finishInterface } from '../webidl.ts'

export const USAGES = [
  'encrypt',
  'decrypt',
  'sign',
  'verify',
  'deriveKey',
  'deriveBits',
  'wrapKey',
  'unwrapKey',
] as const
export type Usage = (typeof USAGES)[number]
export type KeyType = 'public' | 'private' | 'secret'

/** A key's algorithm, as the standard's KeyAlgorithm dictionaries. */
export interface KeyAlgorithm {
  readonly name: string
  readonly hash?: string
  /** Bits, of a secret key. */
  readonly length?: number
  readonly namedCurve?: string
  readonly modulusLength?: number
  readonly publicExponent?: Uint8Array
}

/** What a key is. Its bytes are nowhere else: user code that holds the key can use it, and see them only by exporting it. */
export interface KeyState {
  readonly type: KeyType
  readonly extractable: boolean
  readonly algorithm: KeyAlgorithm
  readonly usages: readonly Usage[]
  /** A secret key's bytes, PKCS #8 or SPKI. */
  readonly data: ArrayBuffer
}

const OWN = Symbol('own')
let read: (key: CryptoKey) => KeyState
let has: (value: object) => boolean

/** W3C Web Cryptography, section 13. */
class CryptoKey {
  readonly #state: KeyState
  #algorithm: object | undefined
  #usages: string[] | undefined

  static {
    read = (key) => key.#state
    has = (value) => #state in value
  }

  constructor(...given: unknown[]) {
    if (given[0] !== OWN) throw new TypeError('CryptoKey cannot be constructed: use crypto.subtle')
    this.#state = given[1] as KeyState
  }

  get type(): KeyType {
    return this.#state.type
  }

  get extractable(): boolean {
    return this.#state.extractable
  }

  get algorithm(): object {
    return (this.#algorithm ??= describe(this.#state.algorithm))
  }

  get usages(): string[] {
    return (this.#usages ??= [...this.#state.usages])
  }
}
finishInterface(CryptoKey, 'CryptoKey')

// Web Cryptography, section 13.5: a clone is the same key, with all that it may and may not be used for.
registerSerializable({ is: isKey, copy: (value) => new CryptoKey(OWN, read(value as CryptoKey)) })

/** An object for user code, which may change it: nothing is decided by it. */
function describe({ name, hash, length, namedCurve, modulusLength, publicExponent }: KeyAlgorithm): object {
  return {
    name,
    ...(modulusLength === undefined
      ? {}
      : { modulusLength, publicExponent: new Uint8Array(publicExponent!) }),
    ...(hash === undefined ? {} : { hash: { name: hash } }),
    ...(length === undefined ? {} : { length }),
    ...(namedCurve === undefined ? {} : { namedCurve }),
  }
}

/** A key with the usages of `wanted` that are `allowed`, in the order of the standard. */
export function newKey(
  type: KeyType,
  extractable: boolean,
  algorithm: KeyAlgorithm,
  wanted: readonly Usage[],
  allowed: readonly Usage[],
  data: ArrayBuffer,
): CryptoKey {
  const usages = USAGES.filter((usage) => wanted.includes(usage) && allowed.includes(usage))
  return new CryptoKey(OWN, { type, extractable, algorithm, usages, data })
}

/** A key's state. @throws TypeError for what is no key. */
export function keyState(value: unknown, what = 'key'): KeyState {
  if (!isKey(value)) throw new TypeError(`${what} must be a CryptoKey`)
  return read(value)
}

export function isKey(value: unknown): value is CryptoKey {
  return typeof value === 'object' && value !== null && has(value)
}

export { CryptoKey }
