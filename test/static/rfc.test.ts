import { execFileSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, field } from '../support/answer-parser.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'
import { CASES, FILES, type StaticCase } from './support/cases.ts'
import { hasNginx, Nginx } from './support/nginx.ts'
import { Site } from './support/site.ts'

const MAKE_FIFO = 'mkfifo'

let site: Site
let server: RunningServer
let large: RunningServer
let nginx: Nginx | undefined
beforeAll(async () => {
  site = new Site(FILES)
  site.link('out.txt', site.outside)
  site.link('out', dirname(site.outside))
  site.link('null', '/dev/null')
  site.link('loop', 'loop')
  execFileSync(MAKE_FIFO, [join(site.root, 'fifo')])
  await site.settle()
  const config = { static: [{ dir: site.root }] }
  ;[server, large, nginx] = await Promise.all([
    startServer({ config }),
    // Nothing fits into memory here: every file goes past the rings.
    startServer({ config: { ...config, files: { fileBytes: 0 } } }),
    hasNginx ? Nginx.start(site.root) : undefined,
  ])
})
afterAll(async () => {
  await Promise.all([server?.stop(), large?.stop(), nginx?.stop()])
  site?.[Symbol.dispose]()
})

async function ask(
  port: number,
  { method = 'GET', path, fields = {} }: StaticCase,
  tag: string,
): Promise<Answer> {
  using wire = await Wire.connect(port)
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value.replace('ETAG', tag)}\r\n`)
  await wire.send(`${method} ${path} HTTP/1.1\r\nhost: a\r\n${lines.join('')}\r\n`)
  return await wire.read(method)
}

/** The entity tag of what the case asks for. */
async function tagOf(port: number, { path, fields }: StaticCase): Promise<string> {
  if (!Object.values(fields ?? {}).some((value) => value.includes('ETAG'))) return ''
  return field(await ask(port, { name: '', section: '', path, status: 200 }, ''), 'etag')!
}

function check(answer: Answer, { status, answer: fields = {}, body }: StaticCase): void {
  expect(answer.status, answer.body.toString()).toBe(status)
  for (const [name, value] of Object.entries(fields)) {
    if (value === null) expect(field(answer, name), name).toBeUndefined()
    else if (typeof value === 'string') expect(field(answer, name), name).toBe(value)
    else expect(field(answer, name), name).toMatch(value)
  }
  if (body !== undefined) expect(answer.body.toString()).toBe(body)
}

test.each(CASES.map((each) => [`${each.section}: ${each.name}`, each] as const))('%s', async (_, each) => {
  check(await ask(server.port, each, await tagOf(server.port, each)), each)
  check(await ask(large.port, each, await tagOf(large.port, each)), each)
})

describe.skipIf(!hasNginx)(`nginx${hasNginx ? '' : ' (not installed: /usr/sbin/nginx)'} agrees`, () => {
  const same = CASES.filter(({ nginx: why }) => why === undefined)
  test.each(same.map((each) => [each.name, each] as const))('%s', async (_, each) => {
    const { port } = nginx!
    const answer = await ask(port, each, await tagOf(port, each))
    // The text of a refusal is each server's own.
    const { 'content-length': _length, ...fields } = each.answer ?? {}
    check(answer, each.status < 400 ? each : { ...each, answer: fields })
  })
})

describe('several ranges', () => {
  const asked = {
    name: '',
    section: '',
    path: '/digits.txt',
    fields: { range: 'bytes=0-1,4-5,-1' },
    status: 206,
  }
  const parts = (answer: Answer) => {
    const boundary = /boundary=(\S+)$/.exec(field(answer, 'content-type')!)![1]!
    const pieces = answer.body.toString('latin1').split(`--${boundary}`)
    expect([pieces[0]!.trim(), pieces.at(-1)]).toEqual(['', '--\r\n'])
    return pieces.slice(1, -1).map((piece) => {
      const [head, body] = piece.split('\r\n\r\n') as [string, string]
      const lines = head.trim().toLowerCase().split('\r\n').sort()
      return [...lines, body.replace(/\r\n$/, '')]
    })
  }
  const type = 'content-type: text/plain; charset=utf-8'
  const expected = [
    ['content-range: bytes 0-1/10', type, '01'],
    ['content-range: bytes 4-5/10', type, '45'],
    ['content-range: bytes 9-9/10', type, '9'],
  ]
  test('each part says what it is (RFC 9110, section 14.6)', async () => {
    for (const { port } of [server, large]) expect(parts(await ask(port, asked, ''))).toEqual(expected)
  })
  test.skipIf(!hasNginx)('nginx sends the same parts', async () => {
    expect(parts(await ask(nginx!.port, asked, ''))).toEqual(expected)
  })
})
