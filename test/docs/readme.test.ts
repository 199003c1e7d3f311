// What the documentation claims, held against the code.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parseCommandLine } from '../../src/cli.ts'
import { configTable } from '../../src/config/index.ts'
import { ANSWER_ERRORS, type AnswerError } from '../../src/errors.ts'
import { bundleFunction, stopBundler } from '../../src/functions/bundle.ts'
import { bundleFilename } from '../../src/functions/source-map.ts'
import { STATE } from '../../src/guest/ops.ts'
import { HTTP_ERRORS, httpError } from '../../src/http/errors.ts'
import { load } from '../config/support.ts'
import { buildGuest, loadVariant, Sandbox } from '../guest/sandbox.ts'
import { anchors, codeBlocks, codeSpans, links, tableBetween } from './markdown.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')
const pages = [
  'README.md',
  ...['docs', 'design'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
]
const readme = read('README.md')
const keys = new Map(configTable().map((row) => [row.key, row]))

describe.each(pages)('%s', (page) => {
  const text = read(page)

  test('every link leads to a file and to a heading of it', () => {
    const broken = links(text).filter((target) => {
      if (/^https?:/.test(target)) return false
      const [path = '', anchor] = target.split('#')
      const file = path === '' ? page : relative(root, join(root, dirname(page), path))
      if (!existsSync(join(root, file))) return true
      return anchor !== undefined && !anchors(read(file)).has(anchor)
    })
    expect(broken).toEqual([])
  })

  test('every configuration key named exists', () => {
    const sections = new Set([...keys.keys()].map((key) => key.split(/[.[]/)[0]))
    const unknown = codeSpans(text).filter((span) => {
      if (!/^\w+(\[\])?\.\w+(\.\w+)?$/.test(span) || /\.(ts|tsx|js|mjs|cjs|md|json|toml)$/.test(span))
        return false
      return sections.has(span.split(/[.[]/)[0]) && !keys.has(span)
    })
    expect(unknown).toEqual([])
  })
})

test('the README names no key, flag or script that does not exist', () => {
  // What else has a dot and small letters: members that functions use.
  const members = /^(request|response|env|ctx|crypto|performance|process)\./
  const dotted = codeSpans(readme).filter(
    (span) => /^[a-z]\w*(\[\])?\.[a-z]\w*(\.\w+)?$/.test(span) && !members.test(span),
  )
  const isFile = (span: string) => /\.(ts|js|json|toml|md|tsx)$/.test(span)
  expect(dotted.filter((span) => !keys.has(span) && !isFile(span))).toEqual([])
  expect(dotted.filter((span) => keys.has(span)).length).toBeGreaterThan(20)

  const help = parseCommandLine(['--help'])
  if (help.kind !== 'print') throw new Error('no help')
  const flags = codeSpans(readme).filter((span) => span.startsWith('--'))
  expect(flags.filter((flag) => !help.text.includes(flag))).toEqual([])

  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const named = [...readme.matchAll(/npm run (\w+)/g)].map(([, name]) => name!)
  expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
})

describe('tables of the README', () => {
  const code = (cell: string) => cell.replaceAll('`', '')

  test('errors', () => {
    const rows = tableBetween(readme, 'errors').map(([name, status]) => [code(name!), status])
    const errors: [string, AnswerError][] = Object.entries(ANSWER_ERRORS)
    expect(rows).toEqual(
      errors.map(([name, { status, retryAfterSeconds }]) => [
        name,
        retryAfterSeconds === undefined ? `${status}` : `${status}, Retry-After`,
      ]),
    )
  })

  test('refusals', () => {
    const rows = tableBetween(readme, 'refusals').map(([name, status]) => [code(name!), Number(status)])
    const refusals = Object.values(HTTP_ERRORS)
      .map(httpError)
      .filter(({ status }) => status !== 400 && status !== 500)
      .map(({ name, status }) => [name, status])
    expect(rows.toSorted()).toEqual(refusals.toSorted())
  })

  test('keys', () => {
    const rows = tableBetween(readme, 'keys')
    expect(rows.length).toBeGreaterThan(10)
    for (const [key, fallback, flag] of rows) {
      expect(keys.get(code(key!)), key).toMatchObject({ default: fallback, flag: code(flag!) })
    }
  })
})

describe('examples of the README', () => {
  const blocks = codeBlocks(readme)
  const handlers = blocks.filter(({ language }) => language === 'ts' || language === 'js')

  let module: Awaited<ReturnType<typeof loadVariant>>
  let guest: string
  beforeAll(async () => {
    ;[module, guest] = await Promise.all([loadVariant('quickjs'), buildGuest()])
  })
  afterAll(stopBundler)

  test('there are some', () => {
    expect(handlers.length).toBeGreaterThanOrEqual(4)
  })

  test.each(handlers)('a handler in $language: $text', async ({ text }) => {
    const { code } = await bundleFunction({ name: 'example', code: text, resolveDir: root })
    const sandbox = new Sandbox(module, guest)
    sandbox.loadExpression(code, bundleFilename('example'))
    const first = sandbox.invoke('GET /some/path?what=this HTTP/1.1\r\nHost: localhost\r\n\r\n')
    sandbox.fireAll()
    const answer = first.state === STATE.PENDING ? sandbox.settle() : first
    expect(answer.status, answer.body).toBeGreaterThanOrEqual(200)
    expect(answer.status).toBeLessThan(300)
    expect(answer.state === STATE.STREAM ? sandbox.sendAll() : answer.body).not.toBe('')
  })

  test.each(blocks.filter(({ language }) => language === 'json' || language === 'toml'))(
    'a configuration in $language',
    async ({ language, text }) => {
      const loaded = await load({ files: { [`ringlet.${language}`]: text } })
      expect(loaded.kind, JSON.stringify(loaded)).toBe('run')
    },
  )

  test('the configurations in JSON and TOML are the same', async () => {
    const [json, toml] = await Promise.all(
      ['json', 'toml'].map(async (language) => {
        const { text } = blocks.find((block) => block.language === language)!
        const loaded = await load({ files: { [`ringlet.${language}`]: text } })
        return loaded.kind === 'run' ? loaded.config : undefined
      }),
    )
    expect(json).toBeDefined()
    expect(toml).toEqual(json)
  })

  test('the error line is the one that is printed', async () => {
    const loaded = await load({ argv: ['--cores', '0'] })
    expect(loaded).toMatchObject({ kind: 'exit', code: 2 })
    expect(readme).toContain(loaded.kind === 'exit' ? loaded.text : 'no line')
  })

  test('what the library’s example imports is exported', () => {
    const example = blocks.find(({ language }) => language === 'mjs')!.text
    const names = /import \{ (.+) \} from 'ringlet'/.exec(example)![1]!.split(', ')
    const source = read('src/server.ts')
    for (const name of names) {
      expect(source).toMatch(
        new RegExp(`^export (async function ${name}\\b|\\{.*\\b${name}\\b.*\\} from)`, 'm'),
      )
    }
  })
})
