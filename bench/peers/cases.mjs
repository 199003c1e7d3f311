/** What is asked of every peer, and what must be answered. */
import { CASES as HTTP_CASES } from '../http/work.mjs'
import { answer } from './work.js'

const [helloJson, order] = HTTP_CASES

const get = (name, path, why) => ({ name, path, body: undefined, answer: answer(path), why })

export const CASES = [
  { ...helloJson, why: 'what the server itself costs' },
  { ...order, why: 'a webhook: 1 KB of JSON in, some of it out' },
  get('compute', '/compute', 'a sieve of 10,000 numbers: compiled code wins here'),
  { name: 'timer', path: '/later', body: undefined, answer: '{"later":true}', why: 'an await of 2 ms' },
  get('template', '/page', 'a table of 40 rows, escaped'),
]
