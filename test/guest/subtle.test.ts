import { createPublicKey, createVerify, webcrypto } from 'node:crypto'
import { expect, it } from 'vitest'
import { describeGuests } from './guests.ts'

/** For code in the guest. */
const HELPERS = `
  const { subtle } = crypto
  const bytes = (...values) => new Uint8Array(values)
  const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const text = (words) => new TextEncoder().encode(words)
  const fails = (promise) => promise.then(() => 'nothing', (error) => error.name)`

describeGuests('crypto.subtle', ({ open, run, value }) => {
  const evaluate = (code: string) => run(`${HELPERS}\n${code}`)

  // FIPS 180-4's example of three letters.
  it.each([
    ['SHA-1', 'a9993e364706816aba3e25717850c26c9cd0d89d'],
    ['SHA-256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'SHA-384',
      'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
    ],
  ])('digests by %s', (name, digest) => {
    expect(evaluate(`return hex(await subtle.digest('${name.toLowerCase()}', text('abc')))`)).toBe(digest)
  })

  it('signs by HMAC as RFC 4231 has it, and tells a wrong signature', () => {
    expect(
      evaluate(`
        const key = await subtle.importKey('raw', new Uint8Array(20).fill(0x0b), { name: 'HMAC', hash: 'SHA-256' }, false, ['verify', 'sign'])
        const mac = await subtle.sign('HMAC', key, text('Hi There'))
        return [hex(mac), await subtle.verify('HMAC', key, mac, text('Hi There')), await subtle.verify('HMAC', key, mac, text('Hi there')), key.usages]
      `),
    ).toEqual([
      'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
      true,
      false,
      ['sign', 'verify'],
    ])
  })

  it.each(['AES-CBC', 'AES-CTR', 'AES-GCM'])('%s is Node’s', async (name) => {
    const key = new Uint8Array(32).fill(7)
    const params =
      name === 'AES-CTR'
        ? { name, counter: new Uint8Array(16).fill(0xff), length: 8 }
        : { name, iv: new Uint8Array(16).fill(3) }
    const theirs = await webcrypto.subtle.importKey('raw', key, name, false, ['encrypt'])
    const expected = await webcrypto.subtle.encrypt(params, theirs, new Uint8Array(100).fill(9))
    const given = `{ name: '${name}', counter: new Uint8Array(16).fill(0xff), length: 8, iv: new Uint8Array(16).fill(3) }`
    expect(
      evaluate(`
        const key = await subtle.importKey('raw', new Uint8Array(32).fill(7), '${name}', false, ['encrypt', 'decrypt'])
        const sealed = await subtle.encrypt(${given}, key, new Uint8Array(100).fill(9))
        return [hex(sealed), hex(await subtle.decrypt(${given}, key, sealed))]`),
    ).toEqual([Buffer.from(expected).toString('hex'), '09'.repeat(100)])
  })

  it('keeps what was encrypted from being changed', () => {
    expect(
      evaluate(`
        const key = await subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt', 'decrypt'])
        const sealed = new Uint8Array(await subtle.encrypt({ name: 'AES-GCM', iv: bytes(1, 2, 3) }, key, text('secret')))
        sealed[0] ^= 1
        return fails(subtle.decrypt({ name: 'AES-GCM', iv: bytes(1, 2, 3) }, key, sealed))`),
    ).toBe('OperationError')
  })

  it.each([
    [`{ name: 'ECDSA', namedCurve: 'P-256' }`, `{ name: 'ECDSA', hash: 'SHA-256' }`],
    [`{ name: 'ECDSA', namedCurve: 'P-521' }`, `{ name: 'ECDSA', hash: 'SHA-512' }`],
    [`'Ed25519'`, `'Ed25519'`],
  ])('signs by %s, with keys that survive each format', (generate, sign) => {
    expect(
      evaluate(`
        const { privateKey, publicKey } = await subtle.generateKey(${generate}, true, ['sign', 'verify'])
        const results = []
        for (const format of ['pkcs8', 'jwk']) {
          const signer = await subtle.importKey(format, await subtle.exportKey(format, privateKey), ${generate}, true, ['sign'])
          const signature = await subtle.sign(${sign}, signer, text('words'))
          for (const form of ['spki', 'jwk', 'raw']) {
            const verifier = await subtle.importKey(form, await subtle.exportKey(form, publicKey), ${generate}, true, ['verify'])
            results.push(await subtle.verify(${sign}, verifier, signature, text('words')), await subtle.verify(${sign}, verifier, signature, text('word')))
          }
        }
        return results`),
    ).toEqual(Array.from({ length: 6 }, () => [true, false]).flat())
  })

  it('signs so that Node verifies', () => {
    const [spki, signature] = evaluate(`
      const { privateKey, publicKey } = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-384' }, false, ['sign', 'verify'])
      return [hex(await subtle.exportKey('spki', publicKey)), hex(await subtle.sign({ name: 'ECDSA', hash: 'SHA-384' }, privateKey, text('words')))]
    `) as [string, string]
    const key = createPublicKey({ key: Buffer.from(spki, 'hex'), format: 'der', type: 'spki' })
    const verify = createVerify('sha384').update('words')
    expect(verify.verify({ key, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'hex'))).toBe(true)
  })

  it.each(['RSASSA-PKCS1-v1_5', 'RSA-PSS', 'RSA-OAEP'])('%s takes a key as JSON Web Key', async (name) => {
    const usages = name === 'RSA-OAEP' ? (['encrypt', 'decrypt'] as const) : (['sign', 'verify'] as const)
    const algorithm = {
      name,
      modulusLength: 2048,
      publicExponent: new Uint8Array([1, 0, 1]),
      hash: 'SHA-256',
    }
    const pair = await webcrypto.subtle.generateKey(algorithm, true, usages)
    const jwk = JSON.stringify(await webcrypto.subtle.exportKey('jwk', pair.privateKey))
    const publicJwk = JSON.stringify(await webcrypto.subtle.exportKey('jwk', pair.publicKey))
    const done = evaluate(`
      const own = await subtle.importKey('jwk', ${jwk}, { name: '${name}', hash: 'SHA-256' }, true, ['${usages[name === 'RSA-OAEP' ? 1 : 0]}'])
      const their = await subtle.importKey('jwk', ${publicJwk}, { name: '${name}', hash: 'SHA-256' }, true, ['${usages[name === 'RSA-OAEP' ? 0 : 1]}'])
      const params = { name: '${name}', saltLength: 32 }
      const { modulusLength, publicExponent, hash } = own.algorithm
      const same = JSON.stringify(await subtle.exportKey('jwk', own)) === JSON.stringify({ ...${jwk} })
      if (own.usages[0] === 'decrypt') {
        const sealed = await subtle.encrypt(params, their, text('words'))
        return [modulusLength, [...publicExponent], hash.name, hex(await subtle.decrypt(params, own, sealed)) === hex(text('words'))]
      }
      return [modulusLength, [...publicExponent], hash.name, await subtle.verify(params, their, await subtle.sign(params, own, text('words')), text('words'))]`)
    expect(done).toEqual([2048, [1, 0, 1], 'SHA-256', true])
  })

  it.each([`{ name: 'ECDH', namedCurve: 'P-256' }`, `'X25519'`])('%s: both sides agree', (algorithm) => {
    expect(
      evaluate(`
        const [a, b] = await Promise.all([1, 2].map(() => subtle.generateKey(${algorithm}, false, ['deriveBits', 'deriveKey'])))
        const { name } = a.privateKey.algorithm
        const one = await subtle.deriveBits({ name, public: b.publicKey }, a.privateKey, 256)
        const other = await subtle.deriveBits({ name, public: a.publicKey }, b.privateKey, 256)
        const key = await subtle.deriveKey({ name, public: a.publicKey }, b.privateKey, { name: 'AES-GCM', length: 128 }, true, ['encrypt'])
        return [hex(one) === hex(other), one.byteLength, hex(await subtle.exportKey('raw', key)) === hex(one).slice(0, 32)]`),
    ).toEqual([true, 32, true])
  })

  it('derives by HKDF as RFC 5869 has it', () => {
    expect(
      evaluate(`
        const key = await subtle.importKey('raw', new Uint8Array(22).fill(0x0b), 'HKDF', false, ['deriveBits'])
        const salt = Uint8Array.from({ length: 13 }, (_, i) => i), info = Uint8Array.from({ length: 10 }, (_, i) => 0xf0 + i)
        return hex(await subtle.deriveBits({ name: 'HKDF', hash: 'SHA-256', salt, info }, key, 42 * 8))`),
    ).toBe('3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865')
  })

  it('wraps a key, and what comes out is the key', () => {
    expect(
      evaluate(`
        const wrapping = await subtle.generateKey({ name: 'AES-KW', length: 256 }, false, ['wrapKey', 'unwrapKey'])
        const key = await subtle.importKey('raw', new Uint8Array(32).fill(5), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])
        const wrapped = await subtle.wrapKey('raw', key, wrapping, 'AES-KW')
        const again = await subtle.unwrapKey('raw', wrapped, wrapping, 'AES-KW', { name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])
        return [wrapped.byteLength, hex(await subtle.exportKey('raw', again))]`),
    ).toEqual([40, '05'.repeat(32)])
  })

  it.each([
    [`subtle.digest('MD5', bytes())`, 'NotSupportedError'],
    [`subtle.digest('SHA-256', 'text')`, 'TypeError'],
    [`subtle.digest('SHA-256')`, 'TypeError'],
    [`subtle.digest({}, bytes())`, 'TypeError'],
    [`SubtleCrypto.prototype.digest.call({}, 'SHA-256', bytes())`, 'TypeError'],
    [`subtle.importKey('raw', bytes(1), 'AES-GCM', false, ['encrypt'])`, 'DataError'],
    [`subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', false, ['sign'])`, 'SyntaxError'],
    [`subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', false, [])`, 'SyntaxError'],
    [`subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', false, ['bake'])`, 'TypeError'],
    [
      `subtle.importKey('pkcs8', bytes(0x30, 0), { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])`,
      'DataError',
    ],
    [
      `subtle.importKey('raw', new Uint8Array(65).fill(4), { name: 'ECDH', namedCurve: 'P-256' }, false, [])`,
      'DataError',
    ],
    [`subtle.importKey('jwk', { kty: 'oct', k: '*' }, 'AES-GCM', false, ['encrypt'])`, 'DataError'],
    [`subtle.generateKey({ name: 'AES-GCM', length: 100 }, false, ['encrypt'])`, 'OperationError'],
    [`subtle.generateKey({ name: 'ECDH', namedCurve: 'P-1' }, false, ['deriveBits'])`, 'NotSupportedError'],
    [`subtle.exportKey('raw', { type: 'secret' })`, 'TypeError'],
    [
      `subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']).then((key) => subtle.exportKey('raw', key))`,
      'InvalidAccessError',
    ],
    [
      `subtle.generateKey({ name: 'AES-GCM', length: 128 }, false, ['encrypt']).then((key) => subtle.decrypt({ name: 'AES-GCM', iv: bytes(1) }, key, bytes()))`,
      'InvalidAccessError',
    ],
    [
      `subtle.generateKey({ name: 'RSA-PSS', modulusLength: 2048, publicExponent: bytes(2), hash: 'SHA-256' }, false, ['sign'])`,
      'OperationError',
    ],
  ])('%s fails with %s', (code, name) => {
    expect(evaluate(`return fails(${code})`)).toBe(name)
  })

  it('lets user code neither make keys nor change them', () => {
    expect(
      evaluate(`
        const key = await subtle.importKey('raw', new Uint8Array(16), 'AES-GCM', false, ['encrypt'])
        key.usages.push('decrypt')
        key.algorithm.name = 'AES-CBC'
        let made = 'nothing'
        try { new CryptoKey() } catch (error) { made = error.name }
        return [
          made,
          await fails(subtle.decrypt({ name: 'AES-GCM', iv: bytes(1) }, key, new Uint8Array(16))),
          await fails(subtle.encrypt({ name: 'AES-GCM', iv: bytes(1) }, key, bytes())),
          Reflect.ownKeys(key).length, JSON.stringify(key), String(key), CryptoKey.length,
        ]`),
    ).toEqual(['TypeError', 'InvalidAccessError', 'nothing', 0, '{}', '[object CryptoKey]', 0])
  })

  it('reads parameters once, then the data', () => {
    expect(
      evaluate(`
        const data = bytes(1)
        const key = await subtle.importKey('raw', new Uint8Array(16), 'AES-CBC', false, ['encrypt', 'decrypt'])
        let reads = 0
        const params = { name: 'AES-CBC', get iv() { reads++; return new Uint8Array(16) } }
        const sealing = subtle.encrypt(params, key, data)
        data[0] = 2
        return [reads, hex(await subtle.decrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, key, await sealing))]`),
    ).toEqual([1, '01'])
  })

  it('imports and digests at the top level, where it makes no keys', () => {
    const sandbox = open()
    sandbox.load(`
      const key = crypto.subtle.importKey('raw', new Uint8Array(16), { name: 'HMAC', hash: 'SHA-1' }, true, ['sign'])
      const made = crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']).catch((error) => error.message)
      exports.default = async () => Response.json([(await key).algorithm.length, await made])`)
    expect(JSON.parse(sandbox.invoke('GET / HTTP/1.1\r\nHost: a\r\n\r\n').body)).toEqual([
      128,
      'a new key cannot be used in top-level code: use it while handling a request',
    ])
  })

  it('is one object', () => {
    expect(
      value(`[crypto.subtle === crypto.subtle, crypto.subtle instanceof SubtleCrypto, 'subtle' in crypto]`),
    ).toEqual([true, true, true])
  })
})

describeGuests('crypto', ({ value }) => {
  it.each([
    [`crypto.getRandomValues({})`, 'TypeError'],
    [`crypto.getRandomValues(new Float32Array(1))`, 'TypeMismatchError'],
    [`crypto.getRandomValues(new DataView(new ArrayBuffer(1)))`, 'TypeMismatchError'],
    [`crypto.getRandomValues(new Uint8Array(65537))`, 'QuotaExceededError'],
    [`new Crypto()`, 'TypeError'],
    [`Crypto.prototype.randomUUID.call({})`, 'TypeError'],
  ])('%s throws %s', (code, name) => {
    expect(value(`(() => { try { ${code} } catch (error) { return error.name } })()`)).toBe(name)
  })
})
