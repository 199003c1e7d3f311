import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeBases } from '../../src/engine/images.ts'
import { ENGINE_VARIANTS } from '../../src/engine/module.ts'
import { baseFileName } from '../../src/engine/open.ts'
import { runCommand, startServer } from '../support/server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const HANDLER = `export default async (request) => {
  await new Promise((resolve) => setTimeout(resolve, 1))
  if (request.url.endsWith('loop')) for (;;);
  return Response.json({ random: Math.random(), text: await request.text() })
}`

/** A package whose engine was not recognised when it was built. */
describe.each(ENGINE_VARIANTS)('a server whose %s does not show its layout', (engine) => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ringlet-package-'))
    await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    const guest = await readFile(join(root, 'dist/guest.json'))
    const nothing = { gcThreshold: null, allocations: null, randomState: null, heap: null, rejections: null }
    const { files } = await makeBases(engine, guest, () => nothing)
    for (const [index, file] of files.entries()) {
      await writeFile(join(folder, 'dist', baseFileName(engine, index)), file)
    }
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test.each(['reuse', 'request'])('says so in its log, and serves: isolation %s', async (isolation) => {
    await using server = await startServer({
      engine,
      main: join(folder, 'dist/main.js'),
      args: ['handler.js', '--isolation', isolation],
      handlerFiles: { 'handler.js': HANDLER },
    })
    const warnings = server.logs().filter(({ msg }) => String(msg).startsWith('engine not recognised'))
    expect(warnings.map(({ level, engine, unknown }) => [level, engine, unknown])).toEqual([
      [40, engine, 'where the heap is'],
      [40, engine, 'the state of Math.random'],
      [40, engine, 'the tracker of rejected promises'],
    ])
    const numbers = new Set<number>()
    for (const body of ['one', 'two', 'three']) {
      const answer = await (await fetch(server.url, { method: 'POST', body })).json()
      expect(answer).toMatchObject({ text: body })
      numbers.add((answer as { random: number }).random)
      expect((await fetch(`${server.url}/loop`)).status).toBe(503)
    }
    expect(numbers.size).toBe(3)
  })
})

test('an engine that there is not is refused, with those that there are', async () => {
  const { code, stderr } = await runCommand({
    args: ['--engine', 'v8', 'handler.js'],
    handlerFiles: { 'handler.js': HANDLER },
  })
  expect(code).toBe(2)
  expect(stderr).toMatch(/engine.*quickjs.*quickjs-ng/)
})
