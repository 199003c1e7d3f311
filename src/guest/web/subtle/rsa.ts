// The three uses of RSA: two kinds of signatures, and encryption.
import { hostAsync } from '../../async.ts'
import { ASYNC_OP } from '../../ops.ts'
import { SUBTLE } from '../../subtle-ops.ts'
import type { Algorithm, KeyFormat, KeyPair, Operations } from './algorithm.ts'
import { asymmetricKey, exportDer, newPair } from './asymmetric.ts'
import { checkUsages } from './checks.ts'
import { hash, hashJwkName } from './hash.ts'
import { ask, askBytes, dataError, notSupported, operationError, syntaxError } from './host.ts'
import { type Dictionary, type Params, toBigInteger, toBytes, unsignedLong } from './idl.ts'
import { checkJwk, commonMembers, type Jwk, membersJson } from './jwk.ts'
import { type CryptoKey, type KeyAlgorithm, type KeyState, newKey, type Usage } from './key.ts'

const PUBLIC_MEMBERS = ['kty', 'n', 'e']
const PRIVATE_PARTS = ['p', 'q', 'dp', 'dq', 'qi']

interface Kind {
  readonly name: string
  readonly publicUsages: readonly Usage[]
  readonly privateUsages: readonly Usage[]
  /** The member `use` of its JSON Web Keys, and the name in `alg`. */
  readonly use: string
  alg(hash: string): string
}

/** The value of an exponent, or -1 when it is too long for a number. */
function exponentOf(bytes: Uint8Array): number {
  let value = 0
  for (const byte of bytes) {
    value = value * 256 + byte
    if (value > 0xffff_ffff) return -1
  }
  return value
}

function keys(kind: Kind): Pick<Operations, 'generateKey' | 'importKey' | 'exportKey'> {
  return {
    generateKey: {
      params: [
        ['modulusLength!', unsignedLong],
        ['publicExponent!', toBigInteger],
        ['hash!', hash],
      ],
      run: (params, extractable, usages) => generate(kind, params, extractable, usages),
    },
    importKey: {
      params: [['hash!', hash]],
      run: (params, format, data, extractable, usages) =>
        importKey(kind, params['hash'] as string, format, data, extractable, usages),
    },
    exportKey: { params: [], run: (key, format) => exportKey(kind, key, format) },
  }
}

async function generate(
  kind: Kind,
  { modulusLength, publicExponent, hash: name }: Params,
  extractable: boolean,
  usages: readonly Usage[],
): Promise<KeyPair> {
  checkUsages(usages, [...kind.publicUsages, ...kind.privateUsages])
  const exponent = exponentOf(publicExponent as Uint8Array)
  if (exponent !== 3 && exponent !== 65537) throw operationError('publicExponent must be 3 or 65537')
  const algorithm: KeyAlgorithm = {
    name: kind.name,
    modulusLength: modulusLength as number,
    publicExponent: publicExponent as Uint8Array,
    hash: name as string,
  }
  if (!usages.some((usage) => kind.privateUsages.includes(usage)))
    throw syntaxError('the private key would have no usage')
  const list = (await hostAsync(ASYNC_OP.RSA_GENERATE, modulusLength as number, exponent)) as ArrayBuffer
  return newPair(list, algorithm, extractable, usages, kind.publicUsages, kind.privateUsages)
}

function importKey(
  kind: Kind,
  name: string,
  format: KeyFormat,
  given: unknown,
  extractable: boolean,
  usages: readonly Usage[],
): CryptoKey {
  if (format === 'raw') throw notSupported('an RSA key has no format raw')
  const isPrivate = format === 'pkcs8' || (format === 'jwk' && (given as Jwk)['d'] !== undefined)
  const allowed = isPrivate ? kind.privateUsages : kind.publicUsages
  checkUsages(usages, allowed)
  const flag = isPrivate ? 1 : 0
  const [data, exponent, bits] = asymmetricKey(
    format === 'jwk'
      ? ask(
          SUBTLE.IMPORT_JWK,
          'RSA',
          flag,
          jwkMembers(kind, name, given as Jwk, isPrivate, extractable, usages),
        )
      : ask(SUBTLE.IMPORT_DER, 'RSA', flag, given as ArrayBuffer),
  )
  const algorithm: KeyAlgorithm = {
    name: kind.name,
    modulusLength: Number(String.fromCharCode(...new Uint8Array(bits!))),
    publicExponent: new Uint8Array(exponent!),
    hash: name,
  }
  return newKey(isPrivate ? 'private' : 'public', extractable, algorithm, usages, allowed, data!)
}

function jwkMembers(
  kind: Kind,
  name: string,
  jwk: Jwk,
  isPrivate: boolean,
  extractable: boolean,
  usages: readonly Usage[],
): string {
  checkJwk(jwk, 'RSA', kind.use, extractable, usages)
  if (jwk['alg'] !== undefined && jwk['alg'] !== kind.alg(name)) throw dataError("the key's alg is another")
  if (jwk['oth'] !== undefined) throw notSupported('a key of more than two primes')
  const names = isPrivate ? [...PUBLIC_MEMBERS, 'd', ...PRIVATE_PARTS] : PUBLIC_MEMBERS
  for (const member of names) if (jwk[member] === undefined) throw dataError(`the key has no ${member}`)
  return membersJson(jwk, names)
}

function exportKey(kind: Kind, key: KeyState, format: KeyFormat): ArrayBuffer | object {
  if (format !== 'jwk') return exportDer(key, format)
  const json = ask(SUBTLE.EXPORT_JWK, key.type === 'private' ? 1 : 0, key.data) as string
  return { ...(JSON.parse(json) as object), alg: kind.alg(key.algorithm.hash!), ...commonMembers(key) }
}

function signatures(name: string, params: Dictionary): Pick<Operations, 'sign' | 'verify'> {
  const salt = ({ saltLength = 0 }: Params) => saltLength as number
  return {
    sign: {
      params,
      run: (given, { algorithm, data }, text) =>
        askBytes(SUBTLE.SIGN, name, algorithm.hash!, data, text, salt(given)),
    },
    verify: {
      params,
      run: (given, { algorithm, data }, signature, text) =>
        ask(SUBTLE.VERIFY, name, algorithm.hash!, data, text, salt(given), signature) === 1,
    },
  }
}

const SIGNING = { publicUsages: ['verify'], privateUsages: ['sign'], use: 'sig' } as const

export const rsaPkcs1: Algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  ...keys({ name: 'RSASSA-PKCS1-v1_5', ...SIGNING, alg: (name) => hashJwkName('RS', name) }),
  ...signatures('RSASSA-PKCS1-v1_5', []),
}

export const rsaPss: Algorithm = {
  name: 'RSA-PSS',
  ...keys({ name: 'RSA-PSS', ...SIGNING, alg: (name) => hashJwkName('PS', name) }),
  ...signatures('RSA-PSS', [['saltLength!', unsignedLong]]),
}

const LABEL: Dictionary = [['label', toBytes]]
const labelOf = ({ label = new ArrayBuffer(0) }: Params) => label as ArrayBuffer

export const rsaOaep: Algorithm = {
  name: 'RSA-OAEP',
  ...keys({
    name: 'RSA-OAEP',
    publicUsages: ['encrypt', 'wrapKey'],
    privateUsages: ['decrypt', 'unwrapKey'],
    use: 'enc',
    alg: (name) => (name === 'SHA-1' ? 'RSA-OAEP' : hashJwkName('RSA-OAEP-', name)),
  }),
  encrypt: {
    params: LABEL,
    run: (given, key, data) =>
      askBytes(SUBTLE.OAEP_ENCRYPT, key.algorithm.hash!, needType(key, 'public').data, data, labelOf(given)),
  },
  decrypt: {
    params: LABEL,
    run: (given, key, data) =>
      askBytes(SUBTLE.OAEP_DECRYPT, key.algorithm.hash!, needType(key, 'private').data, data, labelOf(given)),
  },
}

/** A key has only usages of its type, so this never fails: it says what the host expects. */
function needType(key: KeyState, type: KeyState['type']): KeyState {
  if (key.type !== type) throw operationError(`the key is ${key.type}`)
  return key
}
