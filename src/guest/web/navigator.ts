import { finishInterface } from './webidl.ts'

/** Replaced by the package's version when the guest API is built (scripts/build-guest.mjs). */
declare const RINGLET_VERSION: string

const INTERNAL = Symbol('internal')

/** HTML, section 8.9.1; of its members those of the WinterTC minimum. */
export class Navigator {
  readonly #userAgent: string

  constructor() {
    if (arguments[0] !== INTERNAL) throw new TypeError('Illegal constructor')
    this.#userAgent = `ringlet/${RINGLET_VERSION}`
  }

  get userAgent(): string {
    return this.#userAgent
  }
}
finishInterface(Navigator, 'Navigator')

export const navigator = new (Navigator as unknown as new (mark: symbol) => Navigator)(INTERNAL)
