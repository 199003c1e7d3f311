import { host } from '../../bridge.ts'
import { OP } from '../../ops.ts'
import { defineProperty } from '../../primordials.ts'
import { SUBTLE } from '../../subtle-ops.ts'
import { execute } from '../webidl.ts'

/** Subresource Integrity, section 3.5: from the weakest on. */
const HASHES: readonly string[] = ['sha256', 'sha384', 'sha512']
/** `sha256-` and base64, in one alphabet or the other; options after a question mark mean nothing yet. */
const EXPRESSION = /^(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+)={0,2}(?:\?.*)?$/

/**
 * Subresource Integrity, section 3.3.5: the strongest hash that is named counts, any value of it is right, and what is not understood
 * is left out. @throws TypeError for content that is not what `metadata` says.
 */
export function verifyIntegrity(bytes: ArrayBuffer, metadata: string): void {
  let strength = -1
  let wanted: string[] = []
  for (const item of metadata.split(/[\t\n\f\r ]+/)) {
    const [, name, value] = execute(EXPRESSION, item) ?? []
    const strengthOfItem = HASHES.indexOf(name!)
    if (strengthOfItem < 0 || strengthOfItem < strength) continue
    if (strengthOfItem > strength) wanted = []
    strength = strengthOfItem
    wanted.push(value!.replaceAll('+', '-').replaceAll('/', '_'))
  }
  if (strength < 0) return
  const digest = host(OP.SUBTLE, SUBTLE.DIGEST, `SHA-${HASHES[strength]!.slice('sha'.length)}`, bytes)
  if (wanted.includes(host(OP.SUBTLE, SUBTLE.TO_BASE64URL, digest) as string)) return
  const error = new TypeError('fetch failed')
  const cause = new Error('the body of the response is not what the integrity of the request says')
  defineProperty(cause, 'code', { value: 'RINGLET_FETCH_INTEGRITY', writable: true, configurable: true })
  defineProperty(error, 'cause', { value: cause, writable: true, configurable: true })
  throw error
}
