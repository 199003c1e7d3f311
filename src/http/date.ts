import { asciiBytes } from './chars.ts'

const SECOND_MS = 1000

/** The Date field line (RFC 9110 6.6.1, IMF-fixdate), made at most once per second of the clock passed in. */
export class DateCache {
  /** `date: Sun, 06 Nov 1994 08:49:37 GMT` and CRLF; valid until the next `refresh`. */
  line: Uint8Array = new Uint8Array(0)
  #second = Number.NaN

  /** `nowMs`: milliseconds since 1970. Returns the line. */
  refresh(nowMs: number): Uint8Array {
    const second = Math.floor(nowMs / SECOND_MS)
    if (second !== this.#second) {
      this.#second = second
      // toUTCString is IMF-fixdate for the years 0 to 9999 (ECMA-262 21.4.4.43).
      this.line = asciiBytes(`date: ${new Date(second * SECOND_MS).toUTCString()}\r\n`)
    }
    return this.line
  }
}
