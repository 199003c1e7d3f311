import { installFeatures, nameFunction } from './feature.ts'
import { console } from './web/console.ts'
import { Crypto, crypto } from './web/crypto.ts'
import { DOMException } from './web/dom-exception.ts'
import { Headers } from './web/headers.ts'
import { Navigator, navigator } from './web/navigator.ts'
import { Performance, performance } from './web/performance.ts'
import { Request } from './web/request.ts'
import { Response } from './web/response.ts'
import { clearInterval, clearTimeout, queueMicrotask, setInterval, setTimeout } from './web/timers.ts'

const interfaces = {
  Crypto,
  // A namespace, as interfaces are not enumerable.
  console,
  DOMException,
  Headers,
  Navigator,
  Performance,
  Request,
  Response,
}

const values = {
  clearInterval,
  clearTimeout,
  crypto,
  navigator,
  performance,
  queueMicrotask,
  self: globalThis,
  setInterval,
  setTimeout,
}

function install(members: object, enumerable: boolean): void {
  for (const [name, value] of Object.entries(members)) {
    nameFunction(value, name)
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable, configurable: true })
  }
}

/** Of explicit resource management (ECMAScript 2026): the bundler lowers `using`, but the symbols have to be there. */
function installSymbols(): void {
  for (const name of ['dispose', 'asyncDispose']) {
    if (!(name in Symbol)) Object.defineProperty(Symbol, name, { value: Symbol(`Symbol.${name}`) })
  }
}

/** Puts the Web API on the global object, with WebIDL's attributes. */
export function installGlobals(): void {
  installSymbols()
  install(interfaces, false)
  install(values, true)
  installFeatures()
}
