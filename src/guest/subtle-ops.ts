/**
 * What `crypto.subtle` has its host do (OP.SUBTLE): numbers both sides agree on. Imports nothing, so that both may import it.
 *
 * Bytes are ArrayBuffers, text is plain. A hash is its name in the standard (`SHA-256`). A secret key is its bytes, a private
 * key PKCS #8 and a public key SPKI, both DER: the host keeps no key. LIST is several byte strings in one ArrayBuffer, each
 * after its length (four bytes, little-endian). Every operation gives undefined for what cannot be done.
 */
export const SUBTLE = {
  /** (hash, data) → bytes */
  DIGEST: 1,
  /** (hash, key, data) → bytes */
  HMAC: 2,
  /** (hash, key, data, signature) → 1 or 0 */
  HMAC_VERIFY: 3,
  /** (encrypts: 1 or 0, key, iv, data) → bytes */
  AES_CBC: 4,
  /** (key, counter, bits of the counter block that count, data) → bytes; the same both ways */
  AES_CTR: 5,
  /** (encrypts: 1 or 0, key, iv, data, additional data, bytes of the tag) → bytes, the tag at the end */
  AES_GCM: 6,
  /** (wraps: 1 or 0, key, data) → bytes (RFC 3394) */
  AES_KW: 7,
  /** (algorithm, hash or '', private key, data, salt length) → bytes */
  SIGN: 8,
  /** (algorithm, hash or '', public key, data, salt length, signature) → 1 or 0 */
  VERIFY: 9,
  /** (hash, public key, data, label) → bytes */
  OAEP_ENCRYPT: 10,
  /** (hash, private key, data, label) → bytes */
  OAEP_DECRYPT: 11,
  /** (private key, public key) → the shared secret */
  AGREE: 12,
  /** (hash, key, salt, info, bytes wanted) → bytes */
  HKDF: 13,
  /** (curve) → LIST of private and public key */
  GENERATE: 14,
  /** (`RSA` or a curve, 1 for private, DER) → see IMPORT_JWK */
  IMPORT_DER: 15,
  /** (`RSA` or a curve, 1 for private, JSON text) → LIST of the key, and for RSA the public exponent's bytes and the modulus' bits as text */
  IMPORT_JWK: 16,
  /** (curve, the point's bytes) → as IMPORT_JWK */
  IMPORT_RAW: 17,
  /** (1 for private, key) → JSON text with the members of the key itself */
  EXPORT_JWK: 18,
  /** (bytes) → text in base64url, without padding */
  TO_BASE64URL: 19,
  /** (text) → bytes */
  FROM_BASE64URL: 20,
} as const
