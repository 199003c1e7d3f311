// `ringlet init [folder]`: a project to begin with. Nothing that is there is overwritten.

import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { starterFiles } from './files.ts'

export interface InitResult {
  readonly exitCode: number
  /** For standard output, or for standard error if the exit code is not 0. */
  readonly text: string
}

/** Writes the project, or nothing at all: also when only one of its files is there already. */
export async function initProject(folder: string, cwd: string, version: string): Promise<InitResult> {
  const target = resolve(cwd, folder)
  const files = starterFiles(packageName(target), version)
  const taken = [...files.keys()].find((name) => existsSync(join(target, name)))
  if (taken !== undefined) return failed(`${join(folder, taken)} is there already: nothing was written`)
  try {
    for (const [name, text] of files) {
      const path = join(target, name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, text, { flag: 'wx' })
    }
  } catch (error) {
    return failed((error as Error).message)
  }
  const place = relative(cwd, target)
  const steps = [...(place === '' ? [] : [`cd ${place}`]), 'npm install', 'npm test', 'npm start']
  const names = [...files.keys()].map((name) => `  ${join(place, name)}`)
  return { exitCode: 0, text: `Written:\n${names.join('\n')}\n\nNext:\n  ${steps.join('\n  ')}\n` }
}

const failed = (reason: string): InitResult => ({ exitCode: 1, text: `ringlet: init: ${reason}\n` })

/** The folder's name in the letters that npm allows. */
function packageName(folder: string): string {
  const name = basename(folder)
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '')
  return name || 'functions'
}
