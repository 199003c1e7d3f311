// What a handler may do to get bytes into its answer's head that have no place there.

/** In every value that must not get out. */
export const MARK = 'leaked'

/** Answers whose fields must not be sent: the code that makes them, and what the log says of it. */
type BadAnswer = readonly [name: string, code: string, error: string, reason: string]

const LINES = 'cannot contain NUL, CR or LF'
const NO_NAME = 'is not a valid header name'
const respond = (fields: string) => `return new Response('body', { headers: ${fields} })`

export const THROUGH_THE_API: readonly BadAnswer[] = [
  ['CRLF', respond(`{ x: 'a\\r\\n${MARK}: 1' }`), 'handler-failed', LINES],
  ['CR', respond(`{ x: 'a\\r${MARK}' }`), 'handler-failed', LINES],
  ['LF', respond(`{ x: 'a\\n${MARK}' }`), 'handler-failed', LINES],
  ['NUL', respond(`{ x: 'a\\0${MARK}' }`), 'handler-failed', LINES],
  ['CRLF twice', respond(`{ x: 'a\\r\\n\\r\\n${MARK}' }`), 'handler-failed', LINES],
  ['CRLF in pairs', respond(`[['x', 'a\\r\\n${MARK}: 1']]`), 'handler-failed', LINES],
  [
    'CRLF by append',
    `const r = new Response('a'); r.headers.append('x', 'a\\r\\n${MARK}: 1'); return r`,
    'handler-failed',
    LINES,
  ],
  [
    'CRLF by set, beside JSON',
    `const r = Response.json({}); r.headers.set('x', 'a\\n${MARK}'); return r`,
    'handler-failed',
    LINES,
  ],
  ['CRLF in a name', respond(`{ 'x: a\\r\\n${MARK}': '1' }`), 'handler-failed', NO_NAME],
  ['a space in a name', respond(`{ 'x ${MARK}': '1' }`), 'handler-failed', NO_NAME],
  ['a colon in a name', respond(`{ 'x:${MARK}': '1' }`), 'handler-failed', NO_NAME],
  ['an empty name', respond(`{ '': '${MARK}' }`), 'handler-failed', NO_NAME],
  ['a name beyond ASCII', respond(`{ 'x\\xe9': '${MARK}' }`), 'handler-failed', NO_NAME],
  ['a value beyond latin1', respond(`{ x: '\\u010d${MARK}' }`), 'handler-failed', 'beyond U+00FF'],
  ['an escape', respond(`{ x: '\\x1b[0m${MARK}' }`), 'bad-response', 'control character'],
  ['DEL', respond(`{ x: '\\x7f${MARK}' }`), 'bad-response', 'control character'],
  [
    'a length that is no number',
    respond(`{ 'content-length': '${MARK}' }`),
    'bad-response',
    'Content-Length',
  ],
  [
    'a list of lengths',
    respond(`{ 'content-length': '4, 4', x: '${MARK}' }`),
    'bad-response',
    'Content-Length',
  ],
  ['a signed length', respond(`{ 'content-length': '+4', x: '${MARK}' }`), 'bad-response', 'Content-Length'],
  [
    'two lengths',
    respond(`[['content-length', '4'], ['content-length', '4'], ['x', '${MARK}']]`),
    'bad-response',
    'Content-Length',
  ],
]

/** Lies to the checks of the Headers API: each regular expression for which `when` is true finds nothing, or something. */
const lyingExec = (when: string, answer: string) =>
  `const exec = RegExp.prototype.exec
   RegExp.prototype.exec = function (text) { return ${when} ? ${answer} : exec.call(this, text) }
   RegExp.prototype.test = function () { return ${answer} !== null };`
const lies = (when: string, answer: string, fields: string) => `${lyingExec(when, answer)} ${respond(fields)}`
const ABOUT_NAMES = `this.source.includes('!#')`
const ABOUT_VALUES = `this.source.includes('\\\\0')`

/** Gets hold of the list in which the fields of a response are kept, and changes it when all is checked: z is its fifth item. */
const withStolenList = (code: string) =>
  `let list
   Object.defineProperty(Array.prototype, '4', { configurable: true, set(value) {
     list = this
     Object.defineProperty(this, '4', { value, writable: true, enumerable: true, configurable: true })
   } })
   const response = new Response('body', { headers: { a: 'b' } })
   response.headers.append('z', 'value')
   ${code}
   return response`
/** What is said where the lines are made. */
const LATER = 'a header cannot contain NUL, CR or LF'

export const AROUND_THE_API: readonly BadAnswer[] = [
  ['a lie about CRLF', lies(ABOUT_VALUES, 'null', `{ x: 'a\\r\\n${MARK}: 1' }`), 'handler-failed', LINES],
  ['a lie about CR', lies(ABOUT_VALUES, 'null', `{ x: 'a\\r${MARK}' }`), 'handler-failed', LINES],
  ['a lie about NUL', lies(ABOUT_VALUES, 'null', `{ x: 'a\\0${MARK}' }`), 'handler-failed', LINES],
  ['a lie about a name', lies(ABOUT_NAMES, '[]', `{ 'x: a\\r\\n${MARK}': '1' }`), 'handler-failed', NO_NAME],
  [
    'a lie about latin1',
    lies('true', 'null', `{ x: '\\u560d\\u560a${MARK}: 1' }`),
    'handler-failed',
    'beyond U+00FF',
  ],
  [
    'a value out of String.prototype.concat',
    `String.prototype.concat = () => 'a\\r\\n${MARK}: 1'
     ${respond("{ x: { toString: () => 'b' } }")}`,
    'handler-failed',
    LINES,
  ],
  ['a value with CRLF, later', withStolenList(`list[5] = 'a\\r\\n${MARK}: 1'`), 'handler-failed', LATER],
  ['a value with LF, later', withStolenList(`list[5] = 'a\\n${MARK}'`), 'handler-failed', LATER],
  ['a value with CR, later', withStolenList(`list[5] = 'a\\r${MARK}'`), 'handler-failed', LATER],
  ['a value with NUL, later', withStolenList(`list[5] = 'a\\0${MARK}'`), 'handler-failed', LATER],
  ['a name with CRLF, later', withStolenList(`list[4] = 'z: a\\r\\n${MARK}'`), 'handler-failed', LATER],
  ['a name that starts with NUL, later', withStolenList(`list[4] = '\\0${MARK}'`), 'handler-failed', LATER],
  [
    'an object that becomes a value with CRLF, later',
    withStolenList(`list[5] = { toString: () => 'a\\r\\n${MARK}: 1' }`),
    'handler-failed',
    LATER,
  ],
  ['a name with a space, later', withStolenList(`list[4] = 'z ${MARK}'`), 'bad-response', 'not a token'],
  [
    'an empty name, later',
    withStolenList(`list[4] = ''; list[5] = '${MARK}'`),
    'bad-response',
    'not a token',
  ],
  ['a name of latin1, later', withStolenList(`list[4] = '\\xe9${MARK}'`), 'bad-response', 'not a token'],
  ['an escape, later', withStolenList(`list[5] = '\\x1b[0m${MARK}'`), 'bad-response', 'control character'],
  [
    'a value whose low bytes are CR and LF, later',
    withStolenList(`list[5] = '\\u560d\\u560a${MARK}: 1'`),
    'bad-response',
    'beyond latin1',
  ],
  ['a lone surrogate, later', withStolenList(`list[5] = '\\ud800${MARK}'`), 'bad-response', 'beyond latin1'],
]

/** Overwritten built-ins that no longer matter: the answer is what it would have been. */
export const HARMLESS: ReadonlyArray<readonly [name: string, code: string]> = [
  [
    'String.prototype.slice',
    `String.prototype.slice = () => 'a\\r\\n${MARK}: 1'; ${respond("{ x: ' ok ' }")}`,
  ],
  ['String.prototype.trim', `String.prototype.trim = () => 'a\\r\\n${MARK}: 1'; ${respond("{ x: ' ok ' }")}`],
  [
    'String.prototype.toLowerCase',
    `String.prototype.toLowerCase = () => 'a\\r\\n${MARK}'; ${respond("{ X: 'ok' }")}`,
  ],
  ['Array.prototype.join', `Array.prototype.join = () => 'a\\r\\n${MARK}: 1'; ${respond("{ x: 'ok' }")}`],
  ['Headers.prototype.get', `Headers.prototype.get = () => 'a\\r\\n${MARK}: 1'; ${respond("{ x: 'ok' }")}`],
  [
    'Headers.prototype.entries',
    `Headers.prototype.entries = Headers.prototype[Symbol.iterator] = function* () { yield ['x', 'a\\r\\n${MARK}: 1'] }
     ${respond("new Headers({ x: 'ok' })")}`,
  ],
  [
    'Response.prototype.headers',
    `Object.defineProperty(Response.prototype, 'headers', { get: () => new Map([['x', 'a\\r\\n${MARK}: 1']]) })
     ${respond("{ x: 'ok' }")}`,
  ],
]
