/**
 * The border between the host and the guest: numbers both sides agree on. Imports nothing, so that both may import it.
 *
 * Text crosses the border as UTF-8 that ends at the first NUL (quickjs-emscripten), and lone surrogates do not survive it.
 * So every op below that carries arbitrary text carries WIRE TEXT: a string when it has neither NUL nor a lone surrogate,
 * otherwise an ArrayBuffer with its UTF-16 code units, little-endian. The same holds for text results. Both sides accept
 * both forms everywhere WIRE TEXT is named. Arguments called "plain" never hold either.
 */

/** The first argument of `__host(op, ...args)`. */
export const OP = {
  /** (index in FEATURES: number) → the function that the feature's script is, evaluated in the guest's realm. See feature.ts. */
  FEATURE: 0,
  /** (level: LOG_LEVEL, text: plain) → undefined. The guest puts U+FFFD for NUL and caps the text at LOG_CHARS_MAX. */
  LOG: 1,
  /** (id: number, delayMs: number, repeat: boolean) → undefined. The id is a positive integer of the guest's. */
  TIMER_SET: 2,
  /** (id: number) → undefined. Unknown ids are ignored. */
  TIMER_CLEAR: 3,
  /** (input: WIRE TEXT, base: WIRE TEXT | undefined) → the parts in the order of URL_PART, joined by '\n' (plain), or undefined if invalid. */
  URL_PARSE: 4,
  /** (href: plain, part: URL_PART, value: WIRE TEXT) → as URL_PARSE; an href that cannot take the value comes back as it was. */
  URL_SET: 5,
  /** (text: WIRE TEXT) → ArrayBuffer of UTF-8; a lone surrogate becomes U+FFFD. */
  TEXT_ENCODE: 6,
  /**
   * (bytes: ArrayBuffer, flags: DECODE bits or nothing, offset and length of a part of the bytes, or nothing, label: plain, left out for
   * UTF-8, state: number or nothing) → WIRE TEXT, or undefined for an error under DECODE.FATAL. Under
   * DECODE.PIECE the text begins with two units that hold the new state, for the next piece.
   */
  TEXT_DECODE: 7,
  /** (count: number, 1 to RANDOM_BYTES_MAX) → ArrayBuffer of random bytes. */
  RANDOM: 8,
  /** () → the function's env as JSON text (plain: JSON escapes what could not cross). */
  ENV: 9,
  /** (what: 1 or nothing) → milliseconds since the host's time origin, fractional; with 1, of that origin since 1970. */
  NOW: 10,
  /** (label: WIRE TEXT) → the encoding's canonical name in lower case (plain), or undefined for an unknown label. */
  ENCODING_NAME: 11,
  /** (seat: number) → undefined. Asks for one more piece of a streamed request body: it comes by `push`. */
  BODY_PULL: 12,
  /**
   * (id: number, what: ASYNC_OP, ...arguments: plain text, number, boolean, ArrayBuffer or undefined) → undefined. Begins work that
   * takes time; `complete` tells its end. Throws when the host takes no more. The id is a positive integer of the guest's.
   */
  CALL: 13,
  /** (id: number) → undefined. Nobody waits for this call any more: `complete` is not called for it. Unknown ids are ignored. */
  CALL_CANCEL: 14,
  /**
   * (piece: ArrayBuffer, seat: number) → number: bytes that the next piece may have, 0 to wait for `flow`. A piece of a streamed
   * answer, not longer than the last number said.
   */
  SEND: 15,
  /** (failure: plain | undefined, seat: number) → undefined. The streamed answer is complete, or ends by a failure: `name\nmessage\nstack`. */
  SEND_END: 16,
  /** (seat: number) → undefined. The rest of the request's body is not wanted: the host drops what comes. */
  BODY_DROP: 17,
  /** (what: SUBTLE, ...arguments) → what that operation of subtle-ops.ts gives, or undefined. */
  SUBTLE: 18,
  /**
   * (body: ArrayBuffer, boundary: WIRE TEXT) → JSON text (plain) of a form's parts: [name, value] for text, [name, file name, type, start,
   * end] for a file; undefined if it is no multipart/form-data.
   */
  MULTIPART: 21,
  /** () → a number from 0 up to 1. Only where the engine's own Math.random cannot be seeded (src/engine/build.ts). */
  MATH_RANDOM: 20,
} as const

/** The second argument of OP.CALL: see `hostAsync` in async.ts, and src/host/ops.ts for what the host does. */
export const ASYNC_OP = {
  /**
   * (exchange: number, head: plain, body: ArrayBuffer | undefined, flags: FETCH bits) → plain. Sends a request. The exchange is a
   * number of the guest's, new in its request. The head is lines: method, URL, redirect mode, then `name: value` fields; the
   * result is lines: status, `1` if redirected, `1` if a body follows, URL, reason phrase, then fields.
   */
  FETCH: 1,
  /** (exchange: number) → ArrayBuffer with the next piece of the response's body, undefined at its end. */
  FETCH_READ: 2,
  /** (exchange: number, piece: ArrayBuffer | undefined for the end) → undefined, when a further piece may come. */
  FETCH_WRITE: 3,
  /** (exchange: number) → undefined. Neither body is wanted any more. */
  FETCH_CLOSE: 4,
  /** (hash: plain, password: ArrayBuffer, salt: ArrayBuffer, iterations, bytes wanted) → ArrayBuffer. */
  PBKDF2: 8,
  /** (bits of the modulus, public exponent) → ArrayBuffer: LIST (subtle-ops.ts) of private and public key. */
  RSA_GENERATE: 9,
  /**
   * (codec: number, piece: ArrayBuffer | undefined for the end, kind: CODEC | undefined after the first piece) → ArrayBuffer | undefined.
   * The codec is a number of the guest's, new in its request; a piece has CODEC_PIECE_BYTES at most. The result is the bytes that it
   * brings and one more: 1 when others follow by CODEC_READ, which must have come before a further piece, else 0. Undefined for none.
   */
  CODEC_WRITE: 10,
  /** (codec: number) → as CODEC_WRITE. */
  CODEC_READ: 11,
  /** (codec: number) → undefined. Nobody wants the rest. */
  CODEC_CLOSE: 12,
  /**
   * (asset: number, method: plain, URL: plain, fields: plain) → plain. Asks the function's folder. The asset is a number of the
   * guest's, new in its request; fields are a field block. The result is a head: the status, a space and `1` if a body follows
   * by ASSET_READ, else `0`; CRLF; a field block; CRLF.
   */
  ASSET: 16,
  /** (asset: number) → ArrayBuffer | undefined. The content of the ASSET begun just before, if it is short and in memory. */
  ASSET_CONTENT: 17,
  /** (asset: number) → ArrayBuffer with the next piece, undefined at the end. */
  ASSET_READ: 18,
  /** (asset: number) → undefined. The rest is not wanted. */
  ASSET_CLOSE: 19,
} as const

/** What a codec does: a format, and DECOMPRESS more for the way back. */
export const CODEC = { GZIP: 0, DEFLATE: 1, DEFLATE_RAW: 2, DECOMPRESS: 3 } as const

/** Bytes of one CODEC_WRITE. */
export const CODEC_PIECE_BYTES = 65_536

/** Bits of ASYNC_OP.FETCH's flags. */
export const FETCH = {
  /** The body comes by FETCH_WRITE. */
  PIECES: 1,
} as const

/** The second argument of `complete`: what became of an OP.CALL. */
export const OUTCOME = {
  /** The value is the result. */ DONE: 0,
  /** The value is text: `name\nmessage`, and `\ncode\nmessage` of its cause where there is one. */ FAILED: 1,
} as const

/** `__ringlet.io` is this many bytes: sixteen 32-bit words. */
export const IO_BYTES = 64

/** Indexes of the words in `__ringlet.io`; one more in seat-ops.ts. The guest writes all of them; the host only reads. */
export const WORD = { STATE: 0, STATUS: 1, HEAD_KIND: 2, HEAD_BYTES: 3, WAITING: 4 } as const

/** Values of WORD.STATE: what the value from `invoke` or `take` is. */
export const STATE = {
  /** No answer yet: run jobs and timers until it changes. */
  PENDING: 0,
  /** A string: the field block if HEAD_KIND is CUSTOM (its first HEAD_BYTES bytes of UTF-8), then the body. No NUL in it. */
  TEXT: 1,
  /** An ArrayBuffer: the body; the field block, if HEAD_KIND is CUSTOM, by `takeHead()`. */
  BYTES: 2,
  /** A string: the failure as `name\nmessage\nstack`, the first two without line ends. */
  FAILED: 3,
  /** undefined: no body; the field block, if HEAD_KIND is CUSTOM, by `takeHead()`. */
  EMPTY: 4,
  /** As EMPTY, but the body follows: by OP.SEND, after the first `flow`. */
  STREAM: 5,
  /** What an async handler returned: the host asks the engine what has become of it, and calls `conclude` or `follow`. */
  PROMISE: 6,
} as const

/** Values of WORD.HEAD_KIND: which Content-Type the answer has, or that its fields are all in the field block. */
export const HEAD_KIND = { NONE: 0, JSON: 1, TEXT: 2, HTML: 3, CUSTOM: 4 } as const

/** The Content-Type values by HEAD_KIND. */
export const CONTENT_TYPES = [
  '',
  'application/json',
  'text/plain;charset=UTF-8',
  'text/html;charset=UTF-8',
] as const

/** Bits of the third argument of `invoke`. */
export const FLAG = {
  HAS_ENV: 1,
  /** Its URL is `http://`, the Host field and the target, as they are in the head; the first field is Host. */ PLAIN_URL: 2,
  /** The body's beginning is given; the rest comes by `push`. */ STREAM: 4,
  /** The function has files: its env gets ASSETS. */ ASSETS: 8,
} as const

/** The first argument of OP.LOG. */
export const LOG_LEVEL = { DEBUG: 0, INFO: 1, WARN: 2, ERROR: 3 } as const

/** The order of URL_PARSE's answer, and the `part` of URL_SET (all but the origin can be set). */
export const URL_PART = {
  HREF: 0,
  ORIGIN: 1,
  PROTOCOL: 2,
  USERNAME: 3,
  PASSWORD: 4,
  HOST: 5,
  HOSTNAME: 6,
  PORT: 7,
  PATHNAME: 8,
  SEARCH: 9,
  HASH: 10,
} as const

/** Bits of OP.TEXT_DECODE's flags. */
export const DECODE = {
  FATAL: 1,
  IGNORE_BOM: 2,
  /** There are others before or after: `state` is what the one before has left. For multi-byte encodings but Unicode. */ PIECE: 4,
  /** More will follow. */ OPEN: 8,
} as const

/** How OP.TEXT_DECODE's state stands in two units: the lower bits first, above what could not cross. */
export const STATE_UNIT_BITS = 12
export const STATE_UNIT_MASK = (1 << STATE_UNIT_BITS) - 1
export const STATE_UNIT_BASE = 0x100

/** Characters of one log text, kept by the guest; the host cuts again. */
export const LOG_CHARS_MAX = 8192

/** Bytes of one OP.RANDOM (W3C Web Cryptography, getRandomValues). */
export const RANDOM_BYTES_MAX = 65_536

/** Characters of each part of a failure's text. */
export const FAILURE_CHARS_MAX = 4096
