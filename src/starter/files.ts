/** What `ringlet init` writes: a function, its configuration and a test of it. For package.json see manifest.ts. */

const HANDLER = `import type { ExecutionContext } from 'ringlet/types'

interface Env {
  GREETING?: string
}

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url)
    if (pathname !== '/') return Response.json({ error: 'not found' }, { status: 404 })
    context.waitUntil(Promise.resolve().then(() => console.info('answered', pathname)))
    return Response.json({ greeting: env.GREETING ?? 'Hello', name: searchParams.get('name') ?? 'world' })
  },
}
`

const TEST = `import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { defaultConfig, start } from 'ringlet'

let server
before(async () => {
  const fn = { name: 'hello', file: 'src/handler.ts', routes: ['/*'], env: { GREETING: 'Good morning' } }
  server = await start(defaultConfig({ port: 0, cores: 1, functions: [fn] }))
})
after(() => server.stop())

test('greets by name', async () => {
  const response = await fetch(\`\${server.url}/?name=Ada\`)
  assert.equal(response.status, 200)
  assert.deepEqual(await response.json(), { greeting: 'Good morning', name: 'Ada' })
})

test('knows no other path', async () => {
  const response = await fetch(\`\${server.url}/nowhere\`)
  assert.deepEqual([response.status, await response.json()], [404, { error: 'not found' }])
})
`

export const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Relative paths and texts, but for package.json. */
export function starterFiles(): ReadonlyMap<string, string> {
  const config = {
    functions: [{ name: 'hello', file: 'src/handler.ts', routes: ['/*'], env: { GREETING: 'Good morning' } }],
  }
  const compilerOptions = {
    target: 'es2023',
    lib: ['es2023', 'webworker'],
    module: 'esnext',
    moduleResolution: 'bundler',
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    isolatedModules: true,
    allowImportingTsExtensions: true,
    resolveJsonModule: true,
  }
  return new Map([
    ['ringlet.json', json(config)],
    ['tsconfig.json', json({ compilerOptions, include: ['src'] })],
    ['src/handler.ts', HANDLER],
    ['test/handler.test.mjs', TEST],
  ])
}
