// What keys of RSA and of curves share.
import type { KeyFormat, KeyPair } from './algorithm.ts'
import { dataError, invalidAccess, notSupported, unpack } from './host.ts'
import { type KeyAlgorithm, type KeyState, newKey, type Usage } from './key.ts'

/** The parts of an imported key. @throws DataError when the host has found none. */
export function asymmetricKey(list: unknown): ArrayBuffer[] {
  if (list === undefined) throw dataError('the key is malformed, or of another kind')
  return unpack(list as ArrayBuffer)
}

/** A pair from the host's LIST; the public key is always extractable. */
export function newPair(
  list: ArrayBuffer,
  algorithm: KeyAlgorithm,
  extractable: boolean,
  usages: readonly Usage[],
  publicUsages: readonly Usage[],
  privateUsages: readonly Usage[],
): KeyPair {
  const [privateData, publicData] = unpack(list)
  return {
    publicKey: newKey('public', true, algorithm, usages, publicUsages, publicData!),
    privateKey: newKey('private', extractable, algorithm, usages, privateUsages, privateData!),
  }
}

export function exportDer({ type, data }: KeyState, format: KeyFormat): ArrayBuffer {
  if (format !== 'spki' && format !== 'pkcs8') throw notSupported(`the key has no format ${format}`)
  if (type !== (format === 'spki' ? 'public' : 'private'))
    throw invalidAccess(`a ${type} key has no format ${format}`)
  return data.slice(0)
}
