// `ringlet init`, and what it writes: installed from the package as it would be published, type-checked, tested and served.

import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { initProject } from '../../src/starter/init.ts'
import { packageSource } from '../../src/starter/source.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const MAIN = join(root, 'dist/main.js')

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringlet-init-'))
})
afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

interface Packed {
  readonly filename: string
  readonly files: readonly { path: string }[]
}

/** What runs, its types, the examples and the README; nothing of the sources, and no program that only the build runs. */
function expectPackage(paths: readonly string[]): void {
  expect(paths.filter((path) => !path.includes('/')).sort()).toEqual(['LICENSE', 'README.md', 'package.json'])
  expect(new Set(paths.map((path) => path.split('/')[0]).filter((top) => !paths.includes(top!)))).toEqual(
    new Set(['dist', 'examples', 'types']),
  )
  for (const needed of [
    'dist/main.js',
    'dist/command.cjs',
    'dist/actor.cjs',
    'dist/server.js',
    'dist/workers/actor.cjs',
    'dist/guest.json',
    'dist/head.wasm',
    'dist/encodings.bin',
    'dist/types/src/server.d.ts',
    'types/ringlet.d.ts',
  ]) {
    expect(paths).toContain(needed)
  }
  expect(paths.filter((path) => /^dist\/(base|parser|encoding-tables)\./.test(path))).toEqual([])
}

type Failed = { code: number; stderr: string; stdout: string }
const init = (...args: string[]) => run(process.execPath, [MAIN, 'init', ...args], { cwd: folder })

describe('ringlet init', () => {
  test('writes a project whose test passes, with the package as npm packs it', async () => {
    const { stdout } = await init('My project')
    expect(stdout).toContain('npm install')
    const project = join(folder, 'My project')
    const manifest = JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))
    const ringlet = manifest.dependencies.ringlet as string
    expect(manifest.name).toBe('my-project')
    // Of this checkout, where the command was run.
    expect(resolve(project, ringlet.replace(/^file:/, ''))).toBe(resolve(root))
    expect(stdout).toContain("cd 'My project'")
    // The package as published, unpacked; its dependencies are those of this checkout, so that nothing is fetched.
    const pack = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', folder], {
      cwd: root,
    })
    const [{ filename, files }] = JSON.parse(pack.stdout) as [Packed]
    expectPackage(files.map(({ path }) => path))
    const modules = join(project, 'node_modules')
    await mkdir(modules)
    await run('tar', ['-xzf', join(folder, filename), '-C', modules])
    await run('mv', [join(modules, 'package'), join(modules, 'ringlet')])
    for (const name of await readdir(join(root, 'node_modules'))) {
      if ((!name.startsWith('.') && name !== 'ringlet') || name === '.bin') {
        await symlink(join(root, 'node_modules', name), join(modules, name))
      }
    }
    const own = /^(?:RINGLET_|VITEST|NODE_)/
    const inherited = Object.entries(process.env).filter(([name]) => !own.test(name))
    const env = { ...Object.fromEntries(inherited), XDG_CACHE_HOME: join(folder, 'cache') }
    await run('npm', ['run', 'typecheck'], { cwd: project, env })
    const tested = await run('npm', ['test'], { cwd: project, env })
    expect(tested.stdout).toMatch(/^# pass 2$|ℹ pass 2/m)
    const printed = await run(process.execPath, [join(modules, 'ringlet/dist/main.js'), '--print-config'], {
      cwd: project,
      env,
    })
    expect(JSON.parse(printed.stdout).functions).toMatchObject([{ name: 'hello', routes: ['/*'] }])
  }, 120_000)

  test('an installed package names the file that npm has it from', async () => {
    const installed = join(folder, 'app/node_modules/ringlet')
    await mkdir(installed, { recursive: true })
    const lockfile = join(folder, 'app/node_modules/.package-lock.json')
    const source = () => packageSource(installed, join(folder, 'app/sub'))
    expect(await source()).toBe(undefined)
    for (const [resolved, expected] of [
      ['file:../files/ringlet-0.1.0.tgz', 'file:../../files/ringlet-0.1.0.tgz'],
      [`file:${folder}/a b.tgz`, 'file:../../a b.tgz'],
      ['https://registry.test/ringlet-0.1.0.tgz', undefined],
      [7, undefined],
    ]) {
      await writeFile(lockfile, JSON.stringify({ packages: { 'node_modules/ringlet': { resolved } } }))
      expect(await source()).toBe(expected)
    }
    await writeFile(lockfile, 'damaged')
    expect(await source()).toBe(undefined)
    const own = { root: installed, version: '1.2.3' }
    const { exitCode, text } = await initProject('app/sub', folder, own)
    expect([exitCode, text]).toEqual([0, expect.stringContaining('npm install ../ringlet-1.2.3.tgz')])
  })

  test('completes the package.json that is there, and changes nothing in it', async () => {
    const project = join(folder, 'there')
    await mkdir(project)
    const mine = {
      type: 'commonjs',
      scripts: { start: 'mine', test: 'echo "Error: no test specified" && exit 1' },
      dependencies: { ringlet: 'file:x.tgz' },
    }
    await writeFile(join(project, 'package.json'), JSON.stringify(mine))
    const { stdout } = await init('there')
    expect(stdout).toContain('Completed:\n  there/package.json')
    expect(JSON.parse(await readFile(join(project, 'package.json'), 'utf8'))).toEqual({
      ...mine,
      scripts: { start: 'mine', test: 'node --test', typecheck: 'tsc' },
      devDependencies: { typescript: expect.any(String) },
    })
  })

  test.each(['no JSON', '[]', '{"scripts":[]}'])(
    'a package.json that is %j is left alone, and nothing is written',
    async (text) => {
      const project = await mkdtemp(join(folder, 'damaged-'))
      await writeFile(join(project, 'package.json'), text)
      const error = (await init(basename(project)).catch((thrown: unknown) => thrown)) as Failed
      expect([error.code, error.stderr]).toEqual([
        1,
        expect.stringContaining('is no package.json: nothing was written'),
      ])
      expect(await readdir(project)).toEqual(['package.json'])
      expect(await readFile(join(project, 'package.json'), 'utf8')).toBe(text)
    },
  )

  test('overwrites nothing: one file that is there, and none is written', async () => {
    await mkdir(join(folder, 'taken'))
    await writeFile(join(folder, 'taken/ringlet.json'), 'mine')
    const error = (await init('taken').catch((thrown: unknown) => thrown)) as Failed
    expect([error.code, error.stderr]).toEqual([
      1,
      'ringlet: init: taken/ringlet.json is there already: nothing was written\n',
    ])
    expect(await readdir(join(folder, 'taken'))).toEqual(['ringlet.json'])
    expect(await readFile(join(folder, 'taken/ringlet.json'), 'utf8')).toBe('mine')
  })

  test('takes one folder', async () => {
    const error = (await init('a', 'b').catch((thrown: unknown) => thrown)) as Failed
    expect([error.code, error.stderr]).toEqual([2, 'ringlet: init takes one folder, or none for this one\n'])
  })
})
