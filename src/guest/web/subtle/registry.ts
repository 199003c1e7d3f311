// All algorithms, and the standard's "normalize an algorithm": from what user code has given to an algorithm and its parameters.
import type { Algorithm, OperationName, Operations } from './algorithm.ts'
import { ecdh, ecdsa, edwards, montgomery } from './curves.ts'
import { hkdf, pbkdf2 } from './derivation.ts'
import { digests } from './hash.ts'
import { notSupported } from './host.ts'
import { type Params, readDictionary } from './idl.ts'
import { rsaOaep, rsaPkcs1, rsaPss } from './rsa.ts'
import { aesCbc, aesCtr, aesGcm, aesKw, hmac } from './secret.ts'

const ALGORITHMS: readonly Algorithm[] = [
  ...digests,
  hmac,
  aesCbc,
  aesCtr,
  aesGcm,
  aesKw,
  rsaPkcs1,
  rsaPss,
  rsaOaep,
  ecdsa,
  ecdh,
  ...edwards,
  ...montgomery,
  hkdf,
  pbkdf2,
]

/** Names are told apart without regard to case. */
const byName = new Map(ALGORITHMS.map((algorithm) => [algorithm.name.toUpperCase(), algorithm]))

interface Normalized<Name extends OperationName> {
  readonly name: string
  readonly operation: Operations[Name]
  readonly params: Params
}

/** @throws NotSupportedError for an algorithm without this operation; TypeError for parameters that do not convert. */
export function normalize<Name extends OperationName>(operation: Name, given: unknown): Normalized<Name> {
  const isObject = (typeof given === 'object' && given !== null) || typeof given === 'function'
  const wanted = isObject ? (given as { name: unknown }).name : given
  if (isObject && wanted === undefined) throw new TypeError('an algorithm needs a name')
  const algorithm = byName.get(`${wanted}`.toUpperCase())
  const found = algorithm?.[operation] as Operations[Name] | undefined
  if (algorithm === undefined || found === undefined) throw notSupported(`${wanted} has no ${operation}`)
  const { name } = algorithm
  return {
    name,
    operation: found,
    params: readDictionary(isObject ? (given as object) : {}, found.params, name),
  }
}

/** Whether there is such an algorithm with this operation. */
export function supports(operation: OperationName, given: unknown): boolean {
  const wanted = typeof given === 'object' && given !== null ? (given as { name: unknown }).name : given
  return byName.get(`${wanted}`.toUpperCase())?.[operation] !== undefined
}

/** An operation of a key's own algorithm. */
export function operationOf<Name extends OperationName>(operation: Name, name: string): Operations[Name] {
  const found = byName.get(name.toUpperCase())?.[operation] as Operations[Name] | undefined
  if (found === undefined) throw notSupported(`${name} has no ${operation}`)
  return found
}
