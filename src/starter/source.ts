// Where a new project takes the package from. It is not in the npm registry yet: from where this one came.

import { readFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'

const FILE = 'file:'

/**
 * For `dependencies` of a project in `target`: the folder of this package, or the file that npm has installed it from. Undefined where
 * nothing tells (another package manager, a global installation).
 */
export async function packageSource(packageRoot: string, target: string): Promise<string | undefined> {
  const modules = dirname(packageRoot)
  if (basename(modules) !== 'node_modules') return fileFrom(target, packageRoot)
  const resolved = await resolvedBy(join(modules, '.package-lock.json'), basename(packageRoot))
  return resolved?.startsWith(FILE)
    ? fileFrom(target, resolve(dirname(modules), resolved.slice(FILE.length)))
    : undefined
}

const fileFrom = (target: string, path: string): string => FILE + relative(target, path).split(sep).join('/')

/** What npm has noted beside the packages it has installed. */
async function resolvedBy(lockfile: string, name: string): Promise<string | undefined> {
  try {
    const { packages } = JSON.parse(await readFile(lockfile, 'utf8')) as {
      packages?: Record<string, { resolved?: unknown }>
    }
    const resolved = packages?.[`node_modules/${name}`]?.resolved
    return typeof resolved === 'string' ? resolved : undefined
  } catch {
    return undefined
  }
}
