// JSON Web Keys: what is the same for all algorithms (RFC 7517, and the import steps of Web Cryptography).
import { SUBTLE } from '../../subtle-ops.ts'
import { ask, dataError } from './host.ts'
import { type Dictionary, readDictionary, toSequence, toText } from './idl.ts'
import { type KeyState, USAGES, type Usage } from './key.ts'

/** Members of a key that have been converted; all text but these two. */
export interface Jwk {
  readonly [member: string]: unknown
  readonly ext?: boolean
  readonly key_ops?: readonly string[]
}

const texts = (...names: string[]) => names.map((name) => [name, toText] as const)

const MEMBERS: Dictionary = [
  ...texts('alg', 'crv', 'd', 'dp', 'dq', 'e'),
  ['ext', Boolean],
  ...texts('k'),
  ['key_ops', (value, what) => toSequence(value, what, String)],
  ...texts('kty', 'n'),
  ['oth', (value, what) => toSequence(value, what, (item) => item)],
  ...texts('p', 'q', 'qi', 'use', 'x', 'y'),
]

export function readJwk(value: object): Jwk {
  return readDictionary(value, MEMBERS, 'the key') as Jwk
}

const BASE64URL = /^[\w-]*$/

/** The bytes of a member, or a DataError. */
export function decodeMember(jwk: Jwk, name: string): ArrayBuffer {
  const text = jwk[name]
  if (typeof text !== 'string' || !BASE64URL.test(text)) throw dataError(`the key's ${name} is not base64url`)
  return ask(SUBTLE.FROM_BASE64URL, text) as ArrayBuffer
}

export function encodeMember(bytes: ArrayBuffer): string {
  return ask(SUBTLE.TO_BASE64URL, bytes) as string
}

/** The checks that every import makes. `use`: what the algorithm's keys are for. */
export function checkJwk(
  jwk: Jwk,
  kty: string,
  use: string,
  extractable: boolean,
  usages: readonly Usage[],
): void {
  if (jwk['kty'] !== kty) throw dataError(`the key's kty must be ${kty}`)
  if (usages.length > 0 && jwk['use'] !== undefined && jwk['use'] !== use) {
    throw dataError(`the key's use must be ${use}`)
  }
  const { key_ops: operations } = jwk
  if (operations !== undefined) {
    if (new Set(operations).size !== operations.length) throw dataError("the key's key_ops has one twice")
    if (usages.some((usage) => !operations.includes(usage)))
      throw dataError('key_ops does not allow the usages')
    const known = operations.filter((operation) => USAGES.includes(operation as Usage))
    if (
      jwk['use'] !== undefined &&
      known.some((operation) => isForSigning(operation) !== (jwk['use'] === 'sig'))
    ) {
      throw dataError('use and key_ops contradict each other')
    }
  }
  if (jwk.ext === false && extractable) throw dataError('the key is not to be extractable')
}

const isForSigning = (operation: string) => operation === 'sign' || operation === 'verify'

/** The members of every exported key. */
export function commonMembers({ usages, extractable }: KeyState): Record<string, unknown> {
  return { key_ops: [...usages], ext: extractable }
}

/** The members of the key itself, as JSON for the host: only text, so that no `toJSON` of user code's is asked. */
export function membersJson(jwk: Jwk, names: readonly string[]): string {
  const members = { __proto__: null } as unknown as Record<string, unknown>
  for (const name of names) {
    const value = jwk[name]
    if (value === undefined) continue
    if (typeof value !== 'string' || (name !== 'kty' && name !== 'crv' && !BASE64URL.test(value))) {
      throw dataError(`the key's ${name} is not base64url`)
    }
    members[name] = value
  }
  return JSON.stringify(members)
}
