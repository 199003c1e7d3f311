import { expect } from 'vitest'
import { type Answer, field, json } from './answer-parser.ts'
import type { ValidRequest } from './corpus.ts'
import { digestOf, type Echo } from './echo.ts'
import type { Wire } from './wire.ts'

/** IMF-fixdate, RFC 9110 section 5.6.7. */
const DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/

/** Checks an echo handler's answer against what the corpus says of its request. */
export function expectEcho(request: ValidRequest, answer: Answer): void {
  expect(answer.status, request.name).toBe(200)
  expect(answer.version, request.name).toBe('HTTP/1.1')
  expect(field(answer, 'date'), request.name).toMatch(DATE)
  if (request.closes) expect(field(answer, 'connection')?.toLowerCase(), request.name).toBe('close')
  else expect(field(answer, 'connection')?.toLowerCase(), request.name).not.toBe('close')
  if (request.method === 'HEAD') {
    expect(
      Number(field(answer, 'content-length')),
      `${request.name}: the length GET would have`,
    ).toBeGreaterThan(0)
    return
  }
  const echo = json<Echo>(answer)
  expect(echo.method, request.name).toBe(request.method)
  if (request.url !== undefined) expect(echo.url, request.name).toBe(request.url)
  expect(echo.headers, request.name).toMatchObject(request.headers)
  for (const name of request.absent) expect(echo.headers, request.name).not.toHaveProperty(name)
  if (request.body) {
    expect(echo.bodyBytes, request.name).toBe(request.body.length)
    expect(echo.digest, request.name).toBe(digestOf(request.body))
  }
}

/** Checks the form every refusal has. */
export function expectRefusal(answer: Answer, statuses: readonly number[], what: string): void {
  const excerpt = `${what}: ${answer.body.toString('latin1').slice(0, 200)}`
  expect(statuses, `${excerpt} (${answer.status})`).toContain(answer.status)
  expect(field(answer, 'connection'), what).toBe('close')
  expect(field(answer, 'content-type'), what).toMatch(/^application\/json\b/)
  const body = json<{ error: string; status: number; message: string }>(answer)
  expect(body.status, what).toBe(answer.status)
  expect(body.error, what).toMatch(/^[a-z0-9.]+(-[a-z0-9.]+)*$/)
  expect(body.message, what).toMatch(/./)
}

/**
 * A round trip on a connection of its own. Once its answer is here, the server has read whatever was sent elsewhere
 * before it, so that a split between two sends is a split for the server too, without any waiting on time.
 */
export async function barrier(wire: Wire): Promise<void> {
  await wire.send('HEAD /barrier HTTP/1.1\r\nHost: barrier.test\r\n\r\n')
  await wire.read('HEAD')
}
