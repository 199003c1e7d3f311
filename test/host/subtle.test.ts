import {
  createCipheriv,
  generateKeyPairSync,
  getDiffieHellman,
  type JsonWebKey,
  pbkdf2Sync,
} from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { HostValue } from '../../src/guest/host.ts'
import { ASYNC_OP } from '../../src/guest/ops.ts'
import { SUBTLE } from '../../src/guest/subtle-ops.ts'
import { CallError, type HostCall } from '../../src/host/call.ts'
import { subtleOps } from '../../src/host/subtle/heavy.ts'
import { subtle } from '../../src/host/subtle/subtle.ts'

const owner = {}
const ask = (what: number, ...values: HostValue[]) => subtle(owner, what, values)
const ops = new Map(subtleOps)

/** A call of a request that has so much processor time left. */
function callWith(leftMs: number) {
  const charged: number[] = []
  const end = new AbortController()
  const call: HostCall = {
    signal: new AbortController().signal,
    isGivenUp: false,
    scope: {
      functionIndex: 0,
      signal: end.signal,
      get hasEnded() {
        return end.signal.aborted
      },
      charge: (cpuMs) => {
        charged.push(cpuMs)
        return cpuMs <= leftMs
      },
      state: (_key, make) => make(),
    },
  }
  return { call, charged, end: () => end.abort() }
}

describe('what a guest hands over', () => {
  const anything = fc.oneof(
    fc.constant(undefined),
    fc.double(),
    fc.integer({ min: -1, max: 300 }),
    fc.constantFrom(
      '',
      'SHA-1',
      'SHA-256',
      'P-256',
      'RSA',
      'Ed25519',
      'ECDSA',
      'RSA-PSS',
      '{}',
      '{"kty":"EC"}',
      '__proto__',
    ),
    fc.string(),
    fc.uint8Array({ maxLength: 80 }),
  )

  it('is never an exception, whatever it is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 25 }), fc.array(anything, { maxLength: 7 }), (what, values) => {
        const result = ask(what, ...values)
        expect(['undefined', 'string', 'number', 'object']).toContain(typeof result)
        if (typeof result === 'object') expect(result).toBeInstanceOf(Uint8Array)
      }),
      { numRuns: 3000 },
    )
  })

  it('is refused when it is too long for a key, or a key with too long a modulus', () => {
    expect(ask(SUBTLE.IMPORT_DER, 'RSA', 0, new Uint8Array(20_000))).toBeUndefined()
    const n = Buffer.alloc(1025, 0xff).toString('base64url')
    expect(ask(SUBTLE.IMPORT_JWK, 'RSA', 0, JSON.stringify({ kty: 'RSA', n, e: 'AQAB' }))).toBeUndefined()
    expect(
      ask(SUBTLE.IMPORT_JWK, 'RSA', 0, JSON.stringify({ kty: 'RSA', n: n.slice(0, 342), e: 'AQAB' })),
    ).toBeDefined()
  })

  it('is refused when a private key comes with the public part of another', () => {
    const first = JSON.parse(ask(SUBTLE.EXPORT_JWK, 1, pairOf('Ed25519')[0]!) as string) as Record<
      string,
      string
    >
    const second = JSON.parse(ask(SUBTLE.EXPORT_JWK, 1, pairOf('Ed25519')[0]!) as string) as Record<
      string,
      string
    >
    expect(ask(SUBTLE.IMPORT_JWK, 'Ed25519', 1, JSON.stringify(first))).toBeDefined()
    expect(ask(SUBTLE.IMPORT_JWK, 'Ed25519', 1, JSON.stringify({ ...first, x: second['x'] }))).toBeUndefined()
  })

  it('is refused when it is a key of another algorithm or curve', () => {
    const [edwards] = pairOf('Ed25519')
    const [nist] = pairOf('P-256')
    const data = new Uint8Array(3)
    expect(ask(SUBTLE.SIGN, 'ECDSA', 'SHA-256', edwards!, data, 0)).toBeUndefined()
    expect(ask(SUBTLE.SIGN, 'Ed25519', '', nist!, data, 0)).toBeUndefined()
    expect(ask(SUBTLE.SIGN, 'RSA-PSS', 'SHA-256', nist!, data, 0)).toBeUndefined()
    expect(ask(SUBTLE.AGREE, nist!, pairOf('P-384')[1]!)).toBeUndefined()
    expect(ask(SUBTLE.IMPORT_DER, 'P-384', 1, nist!)).toBeUndefined()
  })
})

function pairOf(curve: string): Uint8Array[] {
  const list = Buffer.from(ask(SUBTLE.GENERATE, curve) as Uint8Array)
  const length = list.readUInt32LE(0)
  return [list.subarray(4, 4 + length), list.subarray(8 + length)]
}

it.each(['P-256', 'P-384', 'P-521'])('a compressed point of %s is made whole', (curve) => {
  const [, spki] = pairOf(curve)
  const pointBytes = { 'P-256': 65, 'P-384': 97, 'P-521': 133 }[curve]!
  const point = spki!.subarray(spki!.length - pointBytes)
  const half = (pointBytes - 1) / 2
  const compressed = Buffer.concat([Buffer.from([2 + (point.at(-1)! & 1)]), point.subarray(1, 1 + half)])
  const list = Buffer.from(ask(SUBTLE.IMPORT_RAW, curve, compressed) as Uint8Array)
  expect(list.subarray(4)).toEqual(Buffer.from(spki!))
})

it('a counter wraps within its own bits, for every length and start', () => {
  const key = new Uint8Array(16).fill(1)
  /** Block by block, each counted by hand. */
  const reference = (counter: Buffer, bits: number, data: Uint8Array) => {
    const start = BigInt(`0x${counter.toString('hex')}`)
    const size = 1n << BigInt(bits)
    const out = []
    for (let i = 0; i * 16 < data.length; i++) {
      const block = start - (start % size) + ((start + BigInt(i)) % size)
      const iv = Buffer.from(block.toString(16).padStart(32, '0'), 'hex')
      out.push(createCipheriv('aes-128-ctr', key, iv).update(data.subarray(i * 16, i * 16 + 16)))
    }
    return Buffer.concat(out)
  }
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 16, maxLength: 16 }),
      fc.integer({ min: 1, max: 128 }),
      fc.integer({ min: 0, max: 60 }),
      (counter, bits, length) => {
        const data = new Uint8Array(length).fill(7)
        const result = ask(SUBTLE.AES_CTR, key, counter, bits, data)
        if (BigInt(Math.ceil(length / 16)) > 1n << BigInt(bits)) expect(result).toBeUndefined()
        else expect(Buffer.from(result as Uint8Array)).toEqual(reference(Buffer.from(counter), bits, data))
      },
    ),
  )
})

describe('what takes long', () => {
  const pbkdf2 = ops.get(ASYNC_OP.PBKDF2)!
  const generate = ops.get(ASYNC_OP.RSA_GENERATE)!
  const input = [Buffer.from('password'), Buffer.from('salt')] as const

  it('is charged before it begins, by its rounds', async () => {
    const { call, charged } = callWith(1000)
    const derived = await pbkdf2(['SHA-256', ...input, 1000, 40], call)
    expect(derived).toEqual(pbkdf2Sync('password', 'salt', 1000, 40, 'sha256'))
    expect(charged).toEqual([(1000 * 2 * 280) / 1e6])
  })

  it('does not begin when the request has not so much left', async () => {
    await expect(pbkdf2(['SHA-1', ...input, 0x7fff_ffff, 20], callWith(1000).call)).rejects.toThrow(CallError)
    await expect(generate([4096, 65537], callWith(1000).call)).rejects.toThrow('more processor time')
  })

  it('does not begin when the request has ended while it waited for its turn', async () => {
    const first = callWith(1000)
    const second = callWith(1000)
    const both = [
      pbkdf2(['SHA-1', ...input, 1000, 20], first.call),
      pbkdf2(['SHA-1', ...input, 1000, 20], second.call),
    ]
    second.end()
    const [one, other] = await Promise.allSettled(both)
    expect(one!.status).toBe('fulfilled')
    expect(other).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } })
  })

  it.each([
    [ASYNC_OP.PBKDF2, ['MD5', ...input, 1, 1]],
    [ASYNC_OP.PBKDF2, ['SHA-1', ...input, 0, 1]],
    [ASYNC_OP.PBKDF2, ['SHA-1', ...input, 1, 1 << 21]],
    [ASYNC_OP.PBKDF2, ['SHA-1', 'text', 'text', 1, 1]],
    [ASYNC_OP.RSA_GENERATE, [2048, 4]],
    [ASYNC_OP.RSA_GENERATE, [16_384, 3]],
    [ASYNC_OP.RSA_GENERATE, [undefined, 3]],
  ])('operation %i refuses %j', async (what, values) => {
    const { call, charged } = callWith(Number.POSITIVE_INFINITY)
    await expect(ops.get(what)!(values as HostValue[], call)).rejects.toThrow()
    expect(charged).toEqual([])
  })
})

/** RFC 8017, A.1: rsaEncryption without parameters. */
const RSA_ALGORITHM = Buffer.from('300d06092a864886f70d0101010500', 'hex')

/** X.690, section 8.1: tag, length, content. */
function derValue(tag: number, content: Uint8Array): Buffer {
  const { length } = content
  const head = length < 128 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}

/** Not negative: a first byte above 127 has a zero before it. */
const derInteger = (bytes: Uint8Array) =>
  derValue(0x02, bytes[0]! > 127 ? Buffer.concat([Buffer.of(0), bytes]) : bytes)

describe('keys that would take long to use, and cannot be interrupted', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ format: 'jwk' })
  const odd = (byteLength: number) => Buffer.alloc(byteLength, 0xfb).toString('base64url')
  // Node.js' own export refuses such a key in later versions, before it is written.
  const der = ({ n, e, d, p, q, dp, dq, qi }: JsonWebKey) => {
    const integers = [n, e, d, p, q, dp, dq, qi].map((text) => derInteger(Buffer.from(text!, 'base64url')))
    const version = derInteger(Buffer.of(0))
    const key = derValue(0x30, Buffer.concat([version, ...integers]))
    return derValue(0x30, Buffer.concat([version, RSA_ALGORITHM, derValue(0x04, key)]))
  }
  const sign = (key: Uint8Array) =>
    ask(SUBTLE.SIGN, 'RSASSA-PKCS1-v1_5', 'SHA-256', key, new Uint8Array(4), 0)

  it('sign with a whole RSA key', () => {
    expect(sign(der(rsa))).toHaveLength(128)
  })

  it.each([
    ['primes', { p: odd(2000), q: odd(2000) }],
    ['exponents', { dp: odd(2000), dq: odd(2000) }],
    ['a prime that is the modulus', { p: rsa.n!, q: 'AQ' }],
    ['other primes of the right length', { p: odd(64), q: odd(64) }],
  ])('are not taken: an RSA key with %s', (_, parts) => {
    const jwk = { ...rsa, ...parts }
    expect(sign(der(jwk))).toBeUndefined()
    expect(ask(SUBTLE.IMPORT_DER, 'RSA', 1, der(jwk))).toBeUndefined()
    expect(ask(SUBTLE.IMPORT_JWK, 'RSA', 1, JSON.stringify(jwk))).toBeUndefined()
  })

  it('are not taken: Diffie-Hellman over a prime field', () => {
    const prime = getDiffieHellman('modp14').getPrime()
    // Node's types do not know this kind.
    const pair = generateKeyPairSync('dh' as 'x448', { prime, generator: 2 } as object)
    const privateKey = pair.privateKey.export({ format: 'der', type: 'pkcs8' })
    const publicKey = pair.publicKey.export({ format: 'der', type: 'spki' })
    expect(ask(SUBTLE.AGREE, privateKey, publicKey)).toBeUndefined()
  })
})
