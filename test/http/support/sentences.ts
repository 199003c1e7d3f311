// What the tables of sentences are written with.

import type { ErrorKey } from './codes.ts'

/** What is made of one message. */
export interface Read {
  method: string
  target: string
  host: string
  /** -1 for none. */
  contentLength: number
  chunked: boolean
  keepAlive: boolean
  expectContinue: boolean
  upgrade: boolean
  /** Name and value of each field. */
  fields: [name: string, value: string][]
  body: string
  /** What belongs to the next message. */
  rest: string
}

/** A sentence of a standard that binds a server, in our words, and messages that show how it is kept. */
export interface Sentence {
  section: string
  says: string
  inputs: string[]
  expected: Partial<Read> | ErrorKey
}

export const head = (...lines: string[]): string => `${lines.join('\r\n')}\r\n\r\n`
export const get = (...fields: string[]): string => head('GET / HTTP/1.1', 'Host: a', ...fields)
export const post = (body: string, ...fields: string[]): string =>
  `${head('POST / HTTP/1.1', 'Host: a', ...fields)}${body}`
export const chunked = (coded: string): string => post(coded, 'Transfer-Encoding: chunked')
export const line = (text: string): string => head(text, 'Host: a')
export const old = (...fields: string[]): string => head('GET / HTTP/1.0', ...fields)

export function sentence(
  section: string,
  says: string,
  inputs: string[],
  expected: Sentence['expected'],
): Sentence {
  return { section, says, inputs, expected }
}
