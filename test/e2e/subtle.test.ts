import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RunningServer, startServer } from '../support/server.ts'

const HANDLER = `
const { subtle } = crypto
const password = () => subtle.importKey('raw', new TextEncoder().encode('password'), 'PBKDF2', false, ['deriveBits'])
let kept
export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname === '/derive') {
      const params = { name: 'PBKDF2', hash: 'SHA-256', salt: new Uint8Array(8), iterations: Number(searchParams.get('rounds')) }
      return Response.json([...new Uint8Array(await subtle.deriveBits(params, await password(), 64))])
    }
    if (pathname === '/pair') {
      const params = { name: 'RSA-PSS', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' }
      const { privateKey, publicKey } = await subtle.generateKey(params, false, ['sign', 'verify'])
      const signature = await subtle.sign({ name: 'RSA-PSS', saltLength: 32 }, privateKey, new Uint8Array(3))
      return Response.json(await subtle.verify({ name: 'RSA-PSS', saltLength: 32 }, publicKey, signature, new Uint8Array(3)))
    }
    const isNew = kept === undefined
    kept ??= subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
    const { privateKey, publicKey } = await kept
    const signature = await subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, privateKey, new Uint8Array(3))
    return Response.json([isNew, await subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, publicKey, signature, new Uint8Array(3))])
  },
}`
const CPU_MS = 200

let server: RunningServer

beforeAll(async () => {
  server = await startServer({
    args: ['handler.ts'],
    handlerFiles: { 'handler.ts': HANDLER },
    config: { cores: 1, limits: { cpuMs: CPU_MS } },
  })
})

afterAll(async () => {
  await server?.[Symbol.asyncDispose]()
})

const ask = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`)

test('what takes long on the host ends as a promise of the guest', async () => {
  // RFC 7914's password and another salt, as Node derives it.
  const { pbkdf2Sync } = await import('node:crypto')
  const expected = pbkdf2Sync('password', new Uint8Array(8), 1000, 8, 'sha256')
  expect(await (await ask('/derive?rounds=1000')).json()).toEqual([...expected])
  expect(await (await ask('/pair')).json()).toBe(true)
})

test('rounds that would take more than is left are not begun: the request is over its processor time', async () => {
  const from = performance.now()
  const answer = await ask('/derive?rounds=2000000000')
  expect(answer.status).toBe(503)
  expect(await answer.json()).toMatchObject({ error: 'cpu-limit' })
  // So many rounds take ten minutes.
  expect(performance.now() - from).toBeLessThan(10_000)
  expect((await ask('/derive?rounds=1000')).status).toBe(200)
})

test('a key that a module keeps serves later requests of its runtime', async () => {
  expect(await (await ask('/')).json()).toEqual([true, true])
  expect(await (await ask('/')).json()).toEqual([false, true])
})
