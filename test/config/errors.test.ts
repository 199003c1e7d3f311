import { expect, it } from 'vitest'
import { ANSWER_ERRORS, type AnswerError, RingletError, STARTUP_ERRORS } from '../../src/errors.ts'

it('fills the message, and carries code, exit code and cause', () => {
  const cause = new Error('EADDRINUSE')
  const error = new RingletError('RINGLET_PORT_IN_USE', { host: '127.0.0.1', port: 8080 }, { cause })
  expect(error).toMatchObject({ name: 'RingletError', code: 'RINGLET_PORT_IN_USE', exitCode: 1, cause })
  expect(error.message).toBe('port 8080 on 127.0.0.1 is already in use')
})

it('does not fill what a parameter brings', () => {
  const error = new RingletError('RINGLET_HANDLER_INIT', { name: 'a', reason: '{name} $& $1' })
  expect(error.message).toBe('function a: its top-level code failed: {name} $& $1')
})

it('keeps the codes and exit codes that scripts rely on', () => {
  expect(Object.keys(STARTUP_ERRORS).every((code) => /^RINGLET_[A-Z_]+$/.test(code))).toBe(true)
  const twos = Object.entries(STARTUP_ERRORS).filter(([, { exitCode }]) => exitCode === 2)
  expect(twos.map(([code]) => code)).toEqual([
    'RINGLET_CONFIG',
    'RINGLET_REUSE_PORT',
    'RINGLET_MEMORY_BUDGET',
    'RINGLET_STATIC_DIR',
  ])
})

it('keeps the codes and statuses that clients rely on', () => {
  const answers: [string, AnswerError][] = Object.entries(ANSWER_ERRORS)
  expect(Object.fromEntries(answers.map(([code, { status }]) => [code, status]))).toEqual({
    'bad-path': 400,
    forbidden: 403,
    'not-found': 404,
    'method-not-allowed': 405,
    'not-acceptable': 406,
    'precondition-failed': 412,
    'range-not-satisfiable': 416,
    'handler-failed': 500,
    'bad-response': 500,
    'response-too-large': 500,
    'stack-limit': 500,
    'subrequest-limit': 500,
    'host-call-limit': 500,
    'shard-restarted': 502,
    'cpu-limit': 503,
    'memory-limit': 503,
    'file-unavailable': 503,
    quarantined: 503,
    'runtime-lost': 503,
    'pool-exhausted': 503,
    overloaded: 503,
    'buffers-full': 503,
    'shutting-down': 503,
    'wall-limit': 504,
  })
})
