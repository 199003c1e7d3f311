// OP.SUBTLE: the operations behind `crypto.subtle` that are done at once, by their numbers in src/guest/subtle-ops.ts. Each is a pure
// function of what the guest hands over; its time is the guest's own.

import type { HostValue } from '../../guest/host.ts'
import { SUBTLE } from '../../guest/subtle-ops.ts'
import { text } from './arguments.ts'
import { agree, oaepDecrypt, oaepEncrypt, sign, verify } from './asymmetric.ts'
import { exportJwk, generate, importDer, importJwk, importRaw, ParsedKeys } from './keys.ts'
import { aesCbc, aesCtr, aesGcm, aesKw, digest, hkdf, hmac, hmacVerify, toBase64url } from './symmetric.ts'

type Values = readonly HostValue[]
type Operation = (values: Values, keys: ParsedKeys) => HostValue

const withKeys =
  (run: (keys: ParsedKeys, values: Values) => HostValue): Operation =>
  (values, keys) =>
    run(keys, values)

const OPERATIONS: ReadonlyMap<number, Operation> = new Map<number, Operation>([
  [SUBTLE.DIGEST, digest],
  [SUBTLE.HMAC, hmac],
  [SUBTLE.HMAC_VERIFY, hmacVerify],
  [SUBTLE.AES_CBC, aesCbc],
  [SUBTLE.AES_CTR, aesCtr],
  [SUBTLE.AES_GCM, aesGcm],
  [SUBTLE.AES_KW, aesKw],
  [SUBTLE.SIGN, withKeys(sign)],
  [SUBTLE.VERIFY, withKeys(verify)],
  [SUBTLE.OAEP_ENCRYPT, withKeys(oaepEncrypt)],
  [SUBTLE.OAEP_DECRYPT, withKeys(oaepDecrypt)],
  [SUBTLE.AGREE, withKeys(agree)],
  [SUBTLE.HKDF, hkdf],
  [SUBTLE.GENERATE, generate],
  [SUBTLE.IMPORT_DER, importDer],
  [SUBTLE.IMPORT_JWK, importJwk],
  [SUBTLE.IMPORT_RAW, importRaw],
  [SUBTLE.EXPORT_JWK, withKeys(exportJwk)],
  [SUBTLE.TO_BASE64URL, toBase64url],
  [SUBTLE.FROM_BASE64URL, ([value]) => Buffer.from(text(value), 'base64url')],
])

/** The keys that a runtime has used, by what stands for it. */
const parsedKeys = new WeakMap<object, ParsedKeys>()

/** `owner`: stands for the runtime. Undefined for what cannot be done, whatever the reason: OpenSSL's own words stay here. */
export function subtle(owner: object, what: number, values: Values): HostValue {
  const operation = OPERATIONS.get(what)
  if (operation === undefined) return undefined
  let keys = parsedKeys.get(owner)
  if (keys === undefined) parsedKeys.set(owner, (keys = new ParsedKeys()))
  try {
    return operation(values, keys)
  } catch {
    return undefined
  }
}
