// The four hashes.
import { SUBTLE } from '../../subtle-ops.ts'
import type { Algorithm } from './algorithm.ts'
import { askBytes, notSupported } from './host.ts'

/** Bits of a hash's block. */
export const BLOCK_BITS: Readonly<Record<string, number>> = {
  'SHA-1': 512,
  'SHA-256': 512,
  'SHA-384': 1024,
  'SHA-512': 1024,
}

const HASHES: readonly string[] = Object.keys(BLOCK_BITS)

/** HashAlgorithmIdentifier: the hash's name. */
export function hash(value: unknown): string {
  const given = typeof value === 'object' || typeof value === 'function' ? nameOf(value as object) : value
  const wanted = `${given}`.toUpperCase()
  const found = HASHES.find((name) => name === wanted)
  if (found === undefined) throw notSupported(`there is no hash ${given}`)
  return found
}

function nameOf(algorithm: object): string {
  const { name } = algorithm as { name: unknown }
  if (name === undefined) throw new TypeError('an algorithm needs a name')
  return `${name}`
}

/** The hash's number in names of JSON Web Algorithms, after `prefix`. */
export function hashJwkName(prefix: string, name: string): string {
  return prefix + name.slice('SHA-'.length)
}

export const digests: readonly Algorithm[] = HASHES.map((name) => ({
  name,
  digest: { params: [], run: (_, data) => askBytes(SUBTLE.DIGEST, name, data) },
}))
