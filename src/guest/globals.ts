import { atob, btoa } from './web/base64.ts'
import { console } from './web/console.ts'
import { Crypto, crypto } from './web/crypto.ts'
import { DOMException } from './web/dom-exception.ts'
import { TextDecoder, TextEncoder } from './web/encoding.ts'
import { Headers } from './web/headers.ts'
import { Performance, performance } from './web/performance.ts'
import { Request } from './web/request.ts'
import { Response } from './web/response.ts'
import { clearInterval, clearTimeout, queueMicrotask, setInterval, setTimeout } from './web/timers.ts'
import { URL } from './web/url.ts'
import { URLSearchParams } from './web/url-search-params.ts'

const interfaces = {
  Crypto,
  DOMException,
  Headers,
  Performance,
  Request,
  Response,
  TextDecoder,
  TextEncoder,
  URL,
  URLSearchParams,
}

const values = {
  atob,
  btoa,
  clearInterval,
  clearTimeout,
  console,
  crypto,
  navigator: Object.freeze({ userAgent: 'ringlet' }),
  performance,
  queueMicrotask,
  self: globalThis,
  setInterval,
  setTimeout,
}

function install(members: object, enumerable: boolean): void {
  for (const [name, value] of Object.entries(members)) {
    Object.defineProperty(globalThis, name, { value, writable: true, enumerable, configurable: true })
  }
}

/** Puts the Web API on the global object, with WebIDL's attributes. */
export function installGlobals(): void {
  install(interfaces, false)
  install(values, true)
}
