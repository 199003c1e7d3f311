// Keys of curves: ECDSA and ECDH on the NIST curves, and the Edwards and Montgomery curves, of which each is an algorithm.
import { refuseAtTopLevel } from '../../bridge.ts'
import { SUBTLE } from '../../subtle-ops.ts'
import type { Algorithm, KeyFormat, KeyPair, Operations } from './algorithm.ts'
import { asymmetricKey, exportDer, newPair } from './asymmetric.ts'
import { checkUsages } from './checks.ts'
import { hash } from './hash.ts'
import {
  ask,
  askBytes,
  byteLength,
  dataError,
  invalidAccess,
  notSupported,
  operationError,
  syntaxError,
} from './host.ts'
import { type Dictionary, toText } from './idl.ts'
import { checkJwk, commonMembers, type Jwk, membersJson } from './jwk.ts'
import { type CryptoKey, type KeyAlgorithm, type KeyState, keyState, newKey, type Usage } from './key.ts'

/** Bytes of a point in SPKI: it stands at the end. */
const POINT_BYTES: Readonly<Record<string, number>> = {
  'P-256': 65,
  'P-384': 97,
  'P-521': 133,
  Ed25519: 32,
  Ed448: 57,
  X25519: 32,
  X448: 56,
}

interface Kind {
  readonly name: string
  readonly kty: 'EC' | 'OKP'
  readonly publicUsages: readonly Usage[]
  readonly privateUsages: readonly Usage[]
  readonly use: string
  /** What `alg` may be for a curve; undefined: anything. */
  readonly alg?: Readonly<Record<string, string>>
}

const CURVE: Dictionary = [['namedCurve!', toText]]

/** The curve: a parameter of the two on NIST curves, the algorithm's own name for the others. */
function curveOf({ kty, name }: Kind, { namedCurve }: { namedCurve?: unknown }): string {
  if (kty === 'OKP') return name
  const curve = namedCurve as string
  if (curve !== 'P-256' && curve !== 'P-384' && curve !== 'P-521')
    throw notSupported(`there is no curve ${curve}`)
  return curve
}

const describeKey = ({ kty, name }: Kind, curve: string): KeyAlgorithm =>
  kty === 'OKP' ? { name } : { name, namedCurve: curve }

function keys(kind: Kind): Pick<Operations, 'generateKey' | 'importKey' | 'exportKey'> {
  const params = kind.kty === 'EC' ? CURVE : []
  return {
    generateKey: {
      params,
      run(given, extractable, usages): KeyPair {
        checkUsages(usages, [...kind.publicUsages, ...kind.privateUsages])
        const curve = curveOf(kind, given)
        if (!usages.some((usage) => kind.privateUsages.includes(usage))) {
          throw syntaxError('the private key would have no usage')
        }
        refuseAtTopLevel('a new key')
        const list = askBytes(SUBTLE.GENERATE, curve)
        return newPair(
          list,
          describeKey(kind, curve),
          extractable,
          usages,
          kind.publicUsages,
          kind.privateUsages,
        )
      },
    },
    importKey: {
      params,
      run: (given, format, data, extractable, usages) =>
        importKey(kind, curveOf(kind, given), format, data, extractable, usages),
    },
    exportKey: { params: [], run: (key, format) => exportKey(kind, key, format) },
  }
}

function importKey(
  kind: Kind,
  curve: string,
  format: KeyFormat,
  given: unknown,
  extractable: boolean,
  usages: readonly Usage[],
): CryptoKey {
  const isPrivate = format === 'pkcs8' || (format === 'jwk' && (given as Jwk)['d'] !== undefined)
  const allowed = isPrivate ? kind.privateUsages : kind.publicUsages
  checkUsages(usages, allowed)
  const flag = isPrivate ? 1 : 0
  let found: unknown
  if (format === 'raw') found = ask(SUBTLE.IMPORT_RAW, curve, given as ArrayBuffer)
  else if (format !== 'jwk') found = ask(SUBTLE.IMPORT_DER, curve, flag, given as ArrayBuffer)
  else
    found = ask(
      SUBTLE.IMPORT_JWK,
      curve,
      flag,
      jwkMembers(kind, curve, given as Jwk, isPrivate, extractable, usages),
    )
  const [data] = asymmetricKey(found)
  return newKey(
    isPrivate ? 'private' : 'public',
    extractable,
    describeKey(kind, curve),
    usages,
    allowed,
    data!,
  )
}

function jwkMembers(
  { kty, use, alg }: Kind,
  curve: string,
  jwk: Jwk,
  isPrivate: boolean,
  extractable: boolean,
  usages: readonly Usage[],
): string {
  checkJwk(jwk, kty, use, extractable, usages)
  if (jwk['crv'] !== curve) throw dataError(`the key's crv must be ${curve}`)
  if (alg !== undefined && jwk['alg'] !== undefined && jwk['alg'] !== alg[curve]) {
    throw dataError("the key's alg is another")
  }
  const names = ['kty', 'crv', 'x', ...(kty === 'EC' ? ['y'] : []), ...(isPrivate ? ['d'] : [])]
  for (const name of names) if (jwk[name] === undefined) throw dataError(`the key has no ${name}`)
  return membersJson(jwk, names)
}

function exportKey({ name, kty }: Kind, key: KeyState, format: KeyFormat): ArrayBuffer | object {
  const { type, data } = key
  if (format === 'raw') {
    if (type !== 'public') throw invalidAccess(`a ${type} key has no format raw`)
    const curve = kty === 'OKP' ? name : key.algorithm.namedCurve!
    return data.slice(byteLength(data) - POINT_BYTES[curve]!)
  }
  if (format !== 'jwk') return exportDer(key, format)
  const json = ask(SUBTLE.EXPORT_JWK, type === 'private' ? 1 : 0, data) as string
  return { ...(JSON.parse(json) as object), ...commonMembers(key) }
}

const SIGNING = { publicUsages: ['verify'], privateUsages: ['sign'], use: 'sig' } as const
const AGREEING = { publicUsages: [], privateUsages: ['deriveKey', 'deriveBits'], use: 'enc' } as const

/** `hashes`: whether the hash is a parameter of each signature. */
function signatures(name: string, hashes: boolean): Pick<Operations, 'sign' | 'verify'> {
  const params: Dictionary = hashes ? [['hash!', hash]] : []
  return {
    sign: {
      params,
      run: ({ hash: digest = '' }, { data }, text) =>
        askBytes(SUBTLE.SIGN, name, digest as string, data, text, 0),
    },
    verify: {
      params,
      run: ({ hash: digest = '' }, { data }, signature, text) =>
        ask(SUBTLE.VERIFY, name, digest as string, data, text, 0, signature) === 1,
    },
  }
}

const agreement: Pick<Operations, 'deriveBits'> = {
  deriveBits: {
    params: [['public!', (value) => keyState(value, 'public')]],
    run({ public: other }, key, bits) {
      const theirs = other as KeyState
      if (key.type !== 'private') throw invalidAccess('the base key must be private')
      if (theirs.type !== 'public') throw invalidAccess('public must be a public key')
      const { name, namedCurve } = key.algorithm
      if (theirs.algorithm.name !== name || theirs.algorithm.namedCurve !== namedCurve) {
        throw invalidAccess('the two keys are of different curves')
      }
      const secret = askBytes(SUBTLE.AGREE, key.data, theirs.data)
      return bits === null ? secret : firstBits(secret, bits)
    },
  },
}

function firstBits(secret: ArrayBuffer, bits: number): ArrayBuffer {
  const count = Math.ceil(bits / 8)
  if (count > byteLength(secret)) throw operationError(`the secret has ${8 * byteLength(secret)} bits`)
  const part = secret.slice(0, count)
  if (bits % 8 !== 0) new Uint8Array(part)[count - 1]! &= 0xff << (8 - (bits % 8))
  return part
}

export const ecdsa: Algorithm = {
  name: 'ECDSA',
  ...keys({
    name: 'ECDSA',
    kty: 'EC',
    ...SIGNING,
    alg: { 'P-256': 'ES256', 'P-384': 'ES384', 'P-521': 'ES512' },
  }),
  ...signatures('ECDSA', true),
}

export const ecdh: Algorithm = {
  name: 'ECDH',
  ...keys({ name: 'ECDH', kty: 'EC', ...AGREEING }),
  ...agreement,
}

export const edwards: readonly Algorithm[] = ['Ed25519', 'Ed448'].map((name) => ({
  name,
  ...keys({ name, kty: 'OKP', ...SIGNING }),
  ...signatures(name, false),
}))

export const montgomery: readonly Algorithm[] = ['X25519', 'X448'].map((name) => ({
  name,
  ...keys({ name, kty: 'OKP', ...AGREEING }),
  ...agreement,
}))
