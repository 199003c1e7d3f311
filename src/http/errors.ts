/**
 * Every refusal of the HTTP layer. Parsers return these negative numbers; `httpError` gives the rest.
 * Names are stable: they appear in answers and logs. Numbers are not: nothing outside one process sees them.
 */
export const HTTP_ERRORS = {
  // Request line
  badMethod: -1,
  methodTooLong: -2,
  badTarget: -3,
  targetTooLong: -4,
  badVersion: -5,
  unsupportedVersion: -6,
  tooManyEmptyLines: -7,
  // Field lines
  badFieldName: -8,
  spaceBeforeColon: -9,
  obsFold: -10,
  badFieldValue: -11,
  bareCr: -12,
  bareLf: -13,
  headTooLarge: -14,
  tooManyFields: -15,
  // Host
  missingHost: -16,
  duplicateHost: -17,
  badHost: -18,
  // Framing
  badContentLength: -19,
  conflictingContentLength: -20,
  contentLengthWithTransferEncoding: -21,
  transferEncodingIn10: -22,
  badTransferEncoding: -23,
  unknownTransferCoding: -24,
  unknownExpectation: -25,
  // Chunked bodies
  badChunkSize: -26,
  badChunkExtension: -27,
  chunkExtensionTooLarge: -28,
  badChunkEnd: -29,
  chunkOverheadTooLarge: -30,
  badTrailer: -31,
  trailerTooLarge: -32,
  bodyTooLarge: -33,
  // Noticed by whoever holds the clock
  headTimeout: -34,
  bodyTimeout: -35,
  // What a guest handed over as its answer's fields
  badResponseFieldName: -36,
  badResponseFieldValue: -37,
  badResponseContentLength: -38,
  // A method that would turn the connection into something else
  connectNotImplemented: -39,
  // Noticed by whoever keeps what is not complete
  buffersFull: -40,
} as const

export interface HttpErrorInfo {
  /** Stable, kebab-case. */
  readonly name: string
  readonly status: number
  /** One English sentence without the final stop; goes into the answer's `message`. */
  readonly reason: string
  /** The section that demands or allows the refusal. */
  readonly rfc: string
}

const INFO: Record<keyof typeof HTTP_ERRORS, readonly [string, number, string, string]> = {
  badMethod: ['bad-method', 400, 'The method is not a token followed by one space', 'RFC 9112 3.1'],
  methodTooLong: ['method-too-long', 501, 'The method is longer than any implemented one', 'RFC 9112 3'],
  badTarget: ['bad-target', 400, 'The request target is not valid for this method', 'RFC 9112 3.2'],
  targetTooLong: ['target-too-long', 414, 'The request target is too long', 'RFC 9112 3'],
  badVersion: ['bad-version', 400, 'The request line does not end in HTTP/digit.digit', 'RFC 9112 2.3'],
  unsupportedVersion: ['unsupported-version', 505, 'The major version is not 1', 'RFC 9110 15.6.6'],
  tooManyEmptyLines: ['too-many-empty-lines', 400, 'Too many empty lines before the request', 'RFC 9112 2.2'],
  badFieldName: ['bad-field-name', 400, 'A field name is not a token followed by a colon', 'RFC 9110 5.1'],
  spaceBeforeColon: ['space-before-colon', 400, 'Whitespace between field name and colon', 'RFC 9112 5.1'],
  obsFold: ['obs-fold', 400, 'A field line starts with whitespace', 'RFC 9112 5.2'],
  badFieldValue: ['bad-field-value', 400, 'A field value holds a control character', 'RFC 9110 5.5'],
  bareCr: ['bare-cr', 400, 'A CR is not followed by LF', 'RFC 9112 2.2'],
  bareLf: ['bare-lf', 400, 'A line ends in LF without CR', 'RFC 9112 2.2'],
  headTooLarge: ['head-too-large', 431, 'The request head is too large', 'RFC 6585 5'],
  tooManyFields: ['too-many-fields', 431, 'The request has too many fields', 'RFC 6585 5'],
  missingHost: ['missing-host', 400, 'An HTTP/1.1 request needs a Host field', 'RFC 9112 3.2'],
  duplicateHost: ['duplicate-host', 400, 'More than one Host field', 'RFC 9112 3.2'],
  badHost: ['bad-host', 400, 'The Host field is not a host with an optional port', 'RFC 9112 3.2'],
  badContentLength: ['bad-content-length', 400, 'Content-Length is not one decimal number', 'RFC 9112 6.3'],
  conflictingContentLength: [
    'conflicting-content-length',
    400,
    'More than one Content-Length field',
    'RFC 9112 6.3',
  ],
  contentLengthWithTransferEncoding: [
    'content-length-with-transfer-encoding',
    400,
    'Both Content-Length and Transfer-Encoding',
    'RFC 9112 6.1',
  ],
  transferEncodingIn10: [
    'transfer-encoding-in-1.0',
    400,
    'Transfer-Encoding in an HTTP/1.0 request',
    'RFC 9112 6.1',
  ],
  badTransferEncoding: [
    'bad-transfer-encoding',
    400,
    'Transfer-Encoding must be chunked once and last',
    'RFC 9112 6.3',
  ],
  unknownTransferCoding: [
    'unknown-transfer-coding',
    501,
    'The only transfer coding understood is chunked',
    'RFC 9112 6.1',
  ],
  unknownExpectation: [
    'unknown-expectation',
    417,
    'The only expectation understood is 100-continue',
    'RFC 9110 10.1.1',
  ],
  badChunkSize: ['bad-chunk-size', 400, 'A chunk size is not a hexadecimal number', 'RFC 9112 7.1'],
  badChunkExtension: ['bad-chunk-extension', 400, 'A chunk extension is malformed', 'RFC 9112 7.1.1'],
  chunkExtensionTooLarge: [
    'chunk-extension-too-large',
    413,
    'Too many bytes of chunk extensions',
    'RFC 9112 7.1.1',
  ],
  badChunkEnd: ['bad-chunk-end', 400, 'Chunk data is not followed by CRLF', 'RFC 9112 7.1'],
  chunkOverheadTooLarge: [
    'chunk-overhead-too-large',
    413,
    'Chunk framing outweighs the chunked data',
    'RFC 9110 15.5.14',
  ],
  badTrailer: ['bad-trailer', 400, 'A trailer field line is malformed', 'RFC 9112 7.1.2'],
  trailerTooLarge: ['trailer-too-large', 431, 'The trailer section is too large', 'RFC 6585 5'],
  bodyTooLarge: ['body-too-large', 413, 'The request body is too large', 'RFC 9110 15.5.14'],
  headTimeout: ['head-timeout', 408, 'The request head did not arrive in time', 'RFC 9110 15.5.9'],
  bodyTimeout: ['body-timeout', 408, 'The request body did not arrive in time', 'RFC 9110 15.5.9'],
  badResponseFieldName: [
    'bad-response-field-name',
    500,
    'The function set a field whose name is not a token',
    'RFC 9110 5.1',
  ],
  badResponseFieldValue: [
    'bad-response-field-value',
    500,
    'The function set a field whose value holds a control character, or one beyond latin1',
    'RFC 9110 5.5',
  ],
  badResponseContentLength: [
    'bad-response-content-length',
    500,
    'The function set a Content-Length that is not one decimal number',
    'RFC 9110 8.6',
  ],
  connectNotImplemented: ['connect-not-implemented', 501, 'This server makes no tunnels', 'RFC 9110 9.3.6'],
  buffersFull: ['buffers-full', 503, 'The buffers of the server are full', 'RFC 9110 15.6.4'],
}

const BY_CODE = new Map<number, HttpErrorInfo>(
  Object.entries(INFO).map(([key, [name, status, reason, rfc]]) => [
    HTTP_ERRORS[key as keyof typeof HTTP_ERRORS],
    { name, status, reason, rfc },
  ]),
)

/** What an error code stands for. Throws on a number that is not one of `HTTP_ERRORS`. */
export function httpError(code: number): HttpErrorInfo {
  const info = BY_CODE.get(code)
  if (info === undefined) throw new RangeError(`not an HTTP error code: ${code}`)
  return info
}
