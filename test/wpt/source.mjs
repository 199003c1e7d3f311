// Where the tests come from: Debian's source package of Node.js carries a copy of some web-platform-tests folders. Its tarball is
// fetched by apt into a folder that git ignores. The version is fixed by its hash, since the expectations are about these files.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

const SUITE = 'bookworm'
const TARBALL = 'nodejs_18.20.4+dfsg.orig.tar.xz'
const SHA256 = '6ce58062c71eae37d9c5ac31eeaeff9c2d48561d21c2849179d056c9c1bd9ebc'
const INSIDE = '*/test/fixtures/wpt'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
const FETCH_MS_MAX = 300_000

const cache = fileURLToPath(new URL('../../.cache/wpt/', import.meta.url))

/**
 * The folder of the tests, fetched when it is not there yet.
 * @param {string | undefined} tarball A copy of the tarball, where there is no apt.
 * @returns {Promise<string>} an absolute path
 */
export async function testFolder(tarball) {
  const folder = join(cache, SHA256.slice(0, 12))
  if (existsSync(folder)) return folder
  await mkdir(cache, { recursive: true })
  const work = await mkdtemp(join(cache, 'fetch-'))
  try {
    const file = tarball ?? (await download(work))
    const hash = createHash('sha256')
      .update(await readFile(file))
      .digest('hex')
    if (hash !== SHA256) throw new Error(`${file} is not the ${TARBALL} that the expectations are about`)
    const out = join(work, 'out')
    await mkdir(out)
    const depth = String(INSIDE.split('/').length)
    await run('tar', ['-xJf', file, '-C', out, `--strip-components=${depth}`, '--wildcards', `${INSIDE}/*`])
    await rename(out, folder)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return folder
}

/** By apt with lists, cache and sources of its own: nothing of the machine's configuration changes, and no root is needed. */
async function download(work) {
  const sources = join(work, 'sources.list')
  const options = {
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::State::lists': join(work, 'lists'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Sandbox::User': 'root',
  }
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const apt = (...args) => run('apt-get', [...flags, ...args], { cwd: work, timeout: FETCH_MS_MAX })
  const signed = existsSync(KEYRING) ? `[signed-by=${KEYRING}] ` : ''
  await writeFile(sources, `deb-src ${signed}${await mirror()} ${SUITE} main\n`)
  for (const folder of ['lists', 'cache']) await mkdir(join(work, folder))
  await apt('-qq', 'update')
  await apt('-qq', 'source', '--download-only', '--tar-only', 'nodejs')
  const file = join(work, TARBALL)
  if (!existsSync(file))
    throw new Error(`Debian's ${SUITE} no longer has ${TARBALL}: give a copy by --tarball`)
  return file
}

/** The Debian mirror that this machine's apt uses. */
async function mirror() {
  let targets
  try {
    targets = (await run('apt-get', ['indextargets', '--format', '$(SITE)'])).stdout
  } catch {
    throw new Error(
      `the tests come from Debian, and there is no apt here: give a copy of ${TARBALL} by --tarball`,
    )
  }
  const site = targets.split('\n').find((line) => /\/debian\/?$/.test(line))
  if (site === undefined)
    throw new Error(`apt knows no Debian mirror here: give a copy of ${TARBALL} by --tarball`)
  return site
}
