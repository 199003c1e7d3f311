/**
 * Every public error in one place: those that end the process or a call of the library (`RingletError`, with an exit
 * code), and those a client sees as the JSON body of an answer. Refusals of the HTTP parser: http/errors.ts.
 */

/** Exit code and message; `{name}` stands for a parameter. 2: the command line or configuration is wrong; 1: all else. */
export const STARTUP_ERRORS = {
  RINGLET_CONFIG: { exitCode: 2, message: '{problems}' },
  RINGLET_PORT_IN_USE: { exitCode: 1, message: 'port {port} on {host} is already in use' },
  RINGLET_LISTEN: { exitCode: 1, message: 'cannot listen on {host}, port {port}: {reason}' },
  RINGLET_REUSE_PORT: {
    exitCode: 2,
    message: 'acceptor.reusePort is "on", which needs Node.js 23.1 or newer: this is {version}',
  },
  RINGLET_HANDLER_BUILD: { exitCode: 1, message: 'function {name}: cannot build {source}: {reason}' },
  RINGLET_HANDLER_INIT: { exitCode: 1, message: 'function {name}: its top-level code failed: {reason}' },
  RINGLET_HANDLER_EXPORT: { exitCode: 1, message: 'function {name}: {source} has no handler: {reason}' },
  RINGLET_ENGINE_LAYOUT: { exitCode: 1, message: 'this build of the engine is not understood: {reason}' },
  RINGLET_ENGINE_START: { exitCode: 1, message: 'the engine did not start: {reason}' },
  RINGLET_ACTOR_START: { exitCode: 1, message: 'the actor of shard {shard} did not start: {reason}' },
  RINGLET_RESTART_INTENSITY: {
    exitCode: 1,
    message: 'the actor of shard {shard} ended more than {max} times in {windowMs} ms: {reason}',
  },
  RINGLET_MEMORY_BUDGET: { exitCode: 2, message: '{problem}' },
  RINGLET_STATIC_DIR: { exitCode: 2, message: 'static files: {dir} cannot be served: {reason}' },
  RINGLET_PARSER: { exitCode: 1, message: 'the SIMD head parser cannot run here: {reason}' },
} as const satisfies Record<string, { readonly exitCode: number; readonly message: string }>

export type ErrorCode = keyof typeof STARTUP_ERRORS

type Placeholders<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never

export type ErrorParameters<C extends ErrorCode> = Readonly<
  Record<Placeholders<(typeof STARTUP_ERRORS)[C]['message']>, string | number>
>

/** An error with a code of `STARTUP_ERRORS`. `message` is one line (except RINGLET_CONFIG: one line a problem). */
export class RingletError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name: string = 'RingletError'
  readonly code: C
  readonly exitCode: number

  constructor(code: C, parameters: ErrorParameters<C>, options?: ErrorOptions) {
    super(fill(STARTUP_ERRORS[code].message, parameters), options)
    this.code = code
    this.exitCode = STARTUP_ERRORS[code].exitCode
  }
}

function fill(template: string, parameters: Readonly<Record<string, string | number>>): string {
  return template.replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole))
}

export interface AnswerError {
  readonly status: number
  /** One sentence without the final stop. It says nothing about the function's inside: that is in the log. */
  readonly message: string
  /** Value of Retry-After, where trying again makes sense. */
  readonly retryAfterSeconds?: number
}

/** What a client gets when there is no answer of a function to give. */
export const ANSWER_ERRORS = {
  'bad-path': { status: 400, message: 'The path is not correctly encoded' },
  forbidden: { status: 403, message: 'This may not be read' },
  'not-found': { status: 404, message: 'Nothing is served at this path' },
  'method-not-allowed': { status: 405, message: 'Files are read by GET and HEAD only' },
  'not-acceptable': { status: 406, message: 'There is no form of this in an acceptable coding' },
  'precondition-failed': { status: 412, message: 'A precondition of the request does not hold' },
  'range-not-satisfiable': { status: 416, message: 'The ranges cannot be served' },
  'handler-failed': { status: 500, message: 'The function failed' },
  'bad-response': { status: 500, message: 'The function did not return a valid response' },
  'response-too-large': { status: 500, message: 'The response of the function is larger than allowed' },
  'stack-limit': { status: 500, message: 'The function exceeded its stack' },
  'host-call-limit': { status: 500, message: 'The function called its host more often than allowed' },
  'subrequest-limit': { status: 500, message: 'The function sent more requests than allowed' },
  'shard-restarted': { status: 502, message: 'The request was interrupted' },
  'cpu-limit': { status: 503, message: 'The function exceeded its processor time' },
  'memory-limit': { status: 503, message: 'The function exceeded its memory' },
  'file-unavailable': { status: 503, message: 'The file cannot be read at the moment', retryAfterSeconds: 1 },
  quarantined: {
    status: 503,
    message: 'The function is not served for a while, because it has hung its shard repeatedly',
    retryAfterSeconds: 10,
  },
  'runtime-lost': {
    status: 503,
    message: 'Another request that was served beside this one exceeded a limit',
    retryAfterSeconds: 1,
  },
  'pool-exhausted': { status: 503, message: 'Too many requests at the moment', retryAfterSeconds: 1 },
  'buffers-full': { status: 503, message: 'The buffers of the server are full', retryAfterSeconds: 1 },
  overloaded: {
    status: 503,
    message: 'The function ran for too long while other requests waited',
    retryAfterSeconds: 1,
  },
  'shutting-down': { status: 503, message: 'The server is stopping', retryAfterSeconds: 1 },
  'wall-limit': { status: 504, message: 'The function did not answer in time' },
} as const satisfies Record<string, AnswerError>

export type AnswerErrorCode = keyof typeof ANSWER_ERRORS
