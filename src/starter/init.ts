// `ringlet init [folder]`: a project to begin with. Nothing that is there is overwritten; a package.json gets what it lacks.

import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { json, starterFiles } from './files.ts'
import { completeManifest, newManifest } from './manifest.ts'
import { packageSource } from './source.ts'

export interface InitResult {
  readonly exitCode: number
  /** For standard output, or for standard error if the exit code is not 0. */
  readonly text: string
}

/** This package. */
export interface OwnPackage {
  readonly root: string
  readonly version: string
}

const MANIFEST = 'package.json'

/** Writes the project, or nothing at all: also when only one of its files is there already. */
export async function initProject(folder: string, cwd: string, own: OwnPackage): Promise<InitResult> {
  const target = resolve(cwd, folder)
  const files = starterFiles()
  const taken = [...files.keys()].find((name) => existsSync(join(target, name)))
  if (taken !== undefined) return failed(`${join(folder, taken)} is there already: nothing was written`)
  const source = await packageSource(own.root, target)
  const before = await readIfThere(join(target, MANIFEST))
  const dependency = source ?? own.version
  const manifest =
    before === undefined ? newManifest(packageName(target), dependency) : completeManifest(before, dependency)
  if (manifest === undefined)
    return failed(`${join(folder, MANIFEST)} is no package.json: nothing was written`)
  try {
    for (const [name, text] of files) {
      const path = join(target, name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, text, { flag: 'wx' })
    }
    await writeFile(join(target, MANIFEST), json(manifest), { flag: before === undefined ? 'wx' : 'w' })
  } catch (error) {
    return failed((error as Error).message)
  }
  const place = relative(cwd, target)
  const names = [...files.keys(), ...(before === undefined ? [MANIFEST] : [])]
  const written = names.map((name) => `  ${join(place, name)}`)
  const changed = before === undefined ? '' : `Completed:\n  ${join(place, MANIFEST)}\n`
  const steps = [...(place === '' ? [] : [`cd ${quoted(place)}`]), 'npm install', 'npm test', 'npm start']
  const text = `Written:\n${written.join('\n')}\n${changed}\nNext:\n  ${steps.join('\n  ')}\n`
  return { exitCode: 0, text: source === undefined ? `${text}\n${noteOn(own)}` : text }
}

async function readIfThere(path: string): Promise<string | undefined> {
  return existsSync(path) ? readFile(path, 'utf8') : undefined
}

/** As a shell takes it. */
const quoted = (path: string): string =>
  /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`

/** For who has it from where nobody knows. */
const noteOn = ({ version }: OwnPackage): string =>
  `ringlet ${version} is not in the npm registry yet. Instead of the first npm install, give its file, as npm pack\n` +
  `writes it in a checkout of ringlet:\n  npm install ../ringlet-${version}.tgz\n`

const failed = (reason: string): InitResult => ({ exitCode: 1, text: `ringlet: init: ${reason}\n` })

/** The folder's name in the letters that npm allows. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '')
  return name || 'functions'
}
