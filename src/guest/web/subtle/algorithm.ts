// What an algorithm is to `crypto.subtle`: the operations that it has, each with its parameters. Which algorithms there are: registry.ts.
import type { Dictionary, Params } from './idl.ts'
import type { CryptoKey, KeyState, Usage } from './key.ts'

export interface KeyPair {
  readonly publicKey: CryptoKey
  readonly privateKey: CryptoKey
}
export type KeyFormat = 'raw' | 'pkcs8' | 'spki' | 'jwk'

interface Operation<Run> {
  /** Members of its parameters beside the name. */
  readonly params: Dictionary
  readonly run: Run
}

type Bytes = ArrayBuffer
type Cipher = (params: Params, key: KeyState, data: Bytes) => Bytes

export interface Operations {
  readonly digest: Operation<(params: Params, data: Bytes) => Bytes>
  readonly encrypt: Operation<Cipher>
  readonly decrypt: Operation<Cipher>
  readonly wrapKey: Operation<Cipher>
  readonly unwrapKey: Operation<Cipher>
  readonly sign: Operation<Cipher>
  readonly verify: Operation<(params: Params, key: KeyState, signature: Bytes, data: Bytes) => boolean>
  /** `bits`: null for as many as there are. */
  readonly deriveBits: Operation<
    (params: Params, key: KeyState, bits: number | null) => Bytes | Promise<Bytes>
  >
  readonly generateKey: Operation<
    (params: Params, extractable: boolean, usages: readonly Usage[]) => CryptoKey | KeyPair | Promise<KeyPair>
  >
  readonly importKey: Operation<
    (
      params: Params,
      format: KeyFormat,
      data: unknown,
      extractable: boolean,
      usages: readonly Usage[],
    ) => CryptoKey
  >
  readonly exportKey: Operation<(key: KeyState, format: KeyFormat) => Bytes | object>
  /** Bits of a key that is derived; null for as many as there are. */
  readonly getKeyLength: Operation<(params: Params) => number | null>
}

export type OperationName = keyof Operations

export interface Algorithm extends Partial<Operations> {
  readonly name: string
}
