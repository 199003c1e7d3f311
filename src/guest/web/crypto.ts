import { host, refuseAtTopLevel } from '../bridge.ts'
import { feature } from '../feature.ts'
import { OP, RANDOM_BYTES_MAX } from '../ops.ts'
import { isView } from '../primordials.ts'
import { DOMException } from './dom-exception.ts'
import type { SubtleCrypto } from './subtle/subtle.ts'
import { finishInterface } from './webidl.ts'

const INTEGER_VIEWS = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
]

function random(what: string, count: number): Uint8Array {
  refuseAtTopLevel(what)
  return new Uint8Array(host(OP.RANDOM, count) as ArrayBuffer)
}

const OWN = Symbol('own')

/** W3C Web Cryptography, section 10; what needs keys is a feature. */
class Crypto {
  readonly #isOwn: boolean

  constructor(...given: unknown[]) {
    if (given[0] !== OWN) throw new TypeError('Crypto cannot be constructed: use crypto')
    this.#isOwn = true
  }

  get subtle(): SubtleCrypto {
    if (!this.#isOwn) throw new TypeError('not crypto')
    return feature('subtle').subtle
  }

  getRandomValues<View extends ArrayBufferView>(view: View): View {
    if (!this.#isOwn || !isView(view)) throw new TypeError('getRandomValues needs an integer typed array')
    if (!INTEGER_VIEWS.some((type) => view instanceof type)) {
      throw new DOMException('getRandomValues needs an integer typed array', 'TypeMismatchError')
    }
    const { buffer, byteOffset, byteLength } = view
    if (byteLength > RANDOM_BYTES_MAX) {
      throw new DOMException(`getRandomValues gives at most ${RANDOM_BYTES_MAX} bytes`, 'QuotaExceededError')
    }
    if (byteLength > 0) {
      new Uint8Array(buffer, byteOffset, byteLength).set(random('crypto.getRandomValues', byteLength))
    }
    return view
  }

  /** RFC 9562, version 4. */
  randomUUID(): string {
    if (!this.#isOwn) throw new TypeError('not crypto')
    const bytes = random('crypto.randomUUID', 16)
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    let uuid = ''
    for (let i = 0; i < 16; i++) {
      if (i === 4 || i === 6 || i === 8 || i === 10) uuid += '-'
      uuid += (bytes[i]! + 0x100).toString(16).slice(1)
    }
    return uuid
  }
}
finishInterface(Crypto, 'Crypto')

export const crypto = new Crypto(OWN)
export { Crypto }
