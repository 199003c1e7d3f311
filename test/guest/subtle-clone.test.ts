import { expect, it } from 'vitest'
import { describeGuests } from './guests.ts'

/** For code in the guest. */
const HELPERS = `
  const { subtle } = crypto
  const bytes = (...values) => new Uint8Array(values)
  const hex = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  const text = (words) => new TextEncoder().encode(words)
  const fails = (promise) => promise.then(() => 'nothing', (error) => error.name)`

describeGuests('clones of keys', ({ run }) => {
  const evaluate = (code: string) => run(`${HELPERS}\n${code}`)

  it('clones keys, with all that they may and may not be used for', () => {
    expect(
      evaluate(`
        const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
        const secret = await subtle.importKey('raw', bytes(1, 2, 3), { name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])
        pair.privateKey.algorithm.name = 'HMAC'
        const { keys: [privateKey, publicKey, other], again } = structuredClone({ keys: [pair.privateKey, pair.publicKey, secret], again: secret })
        const signature = await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, text('a'))
        return [
          privateKey === pair.privateKey, privateKey instanceof CryptoKey, privateKey.type, privateKey.extractable, privateKey.usages, privateKey.algorithm,
          await fails(subtle.exportKey('pkcs8', privateKey)), await fails(subtle.sign('HMAC', other, 1)), await fails(subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, publicKey, text('a'))),
          await subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, pair.publicKey, signature, text('a')), publicKey.usages,
          other === again, other instanceof CryptoKey, other.extractable, hex(await subtle.exportKey('raw', other)),
        ]`),
    ).toEqual([
      ...[false, true, 'private', false, ['sign'], { name: 'ECDSA', namedCurve: 'P-256' }],
      ...['InvalidAccessError', 'TypeError', 'InvalidAccessError'],
      ...[true, ['verify'], true, true, true, '010203'],
    ])
  })

  it.each([
    'Object.create(CryptoKey.prototype)',
    'new Proxy(key, {})',
    'Object.create(key)',
    'Object.setPrototypeOf({ type: "secret", extractable: true, usages: [], algorithm: { name: "HMAC" } }, CryptoKey.prototype)',
    'Object.create(CryptoKey.prototype, { extractable: { value: true, enumerable: true } })',
    'subtle',
  ])('does not clone %s', (what) => {
    expect(
      evaluate(`
        const key = await subtle.importKey('raw', bytes(1, 2, 3), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
        const { port1 } = new MessageChannel()
        const refusals = []
        for (const send of [structuredClone, (value) => port1.postMessage(value), (value) => structuredClone([key], { transfer: [value] })]) {
          try { send(${what}); refusals.push('nothing') } catch (error) { refusals.push(error.name) }
        }
        return refusals`),
    ).toEqual(Array(3).fill('DataCloneError'))
  })

  it('is not asked what a key is by what user code has put in its place', () => {
    expect(
      evaluate(`
        const key = await subtle.importKey('raw', bytes(1, 2, 3), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
        for (const name of ['type', 'extractable', 'algorithm', 'usages'])
          Object.defineProperty(CryptoKey.prototype, name, { get() { throw new Error('asked') }, configurable: true })
        Object.defineProperty(key, 'extractable', { value: true })
        const clone = structuredClone(key)
        return [await fails(subtle.exportKey('raw', clone)), Object.hasOwn(clone, 'extractable')]`),
    ).toEqual(['InvalidAccessError', false])
  })
})
