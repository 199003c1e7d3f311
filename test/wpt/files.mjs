// Which files there are, and what each needs to run: scripts, variants, a timeout, and what it will fetch from a server.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'

/** The folders of the suite that are about what the sandbox has. */
export const FOLDERS = [
  'FileAPI',
  'WebCryptoAPI',
  'console',
  'dom',
  'encoding',
  'hr-time',
  'html',
  'performance-timeline',
  'streams',
  'url',
  'user-timing',
  'webidl',
  'webmessaging',
]

const TEST_FILE = /\.(any|window|worker)\.js$/
const META = /^\/\/\s*META:\s*(\w+)=(.*)$/gm
const IMPORT_SCRIPTS = /importScripts\(([^)]*)\)/g
const HARNESS = '/resources/testharness.js'
/** What the suite's server has under another name. */
const ALIASES = { '/resources/WebIDLParser.js': '/resources/webidl2/lib/webidl2.js' }
const TIMEOUT_MS = 20_000
/** Generous: many derive keys by hundreds, and other files run beside. */
const LONG_TIMEOUT_MS = 240_000
/** A text in a script that may be the path of something that it fetches. */
const PATH_LITERAL = /["'`]([\w./-]+\.(?:json|txt|idl))["'`]/g
const IDL_TEST = /idl_test\(\s*(\[[^\]]*\])\s*,\s*(\[[^\]]*\])/

/**
 * One run of a file.
 * @typedef {object} TestFile
 * @property {string} name its path in the suite, with the variant's query
 * @property {string} path
 * @property {string} folder one of FOLDERS
 */

/** Every run of every file under `root` whose path begins with one of `prefixes`. @returns {TestFile[]} */
export function listFiles(root, prefixes) {
  const wanted = (name) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix))
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true })
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
      .filter((path) => TEST_FILE.test(path))
      .sort()
      .flatMap((path) =>
        variants(root, path).map((variant) => ({ name: path + variant, path, folder, variant })),
      )
      .filter(({ name }) => wanted(name)),
  )
}

function variants(root, path) {
  const found = metas(readFileSync(join(root, path), 'utf8'), 'variant')
  return found.length === 0 ? [''] : found
}

/** The values of a `// META: key=value` line. */
export function metas(source, key) {
  return [...source.matchAll(META)].filter(([, name]) => name === key).map(([, , value]) => value.trim())
}

/** What guest.js needs to run a file: see `run` there. */
export function describeRun(root, { path, variant }) {
  const read = (name) => readFileSync(join(root, ALIASES[name] ?? name), 'utf8')
  const source = read(path)
  const resolve = (name) => posix.join('/', posix.resolve(posix.dirname(`/${path}`), name))
  const isWorker = path.endsWith('.worker.js')
  const scripts = (isWorker ? imported(source) : metas(source, 'script')).map(resolve)
  const sources = [...scripts.filter((name) => name !== HARNESS).map(read), source]
  return {
    sources: inOneStrictness(sources),
    url: `http://web-platform.test/${path}${variant}`,
    // The first for files that say `window` for the global object, the second for the IDL harness, which asks where it is.
    aliases: [
      ...(path.endsWith('.window.js') ? ['window'] : []),
      ...(IDL_TEST.test(source) ? ['Window'] : []),
    ],
    resources: resources(root, sources, resolve),
    timeoutMs: metas(source, 'timeout').includes('long') ? LONG_TIMEOUT_MS : TIMEOUT_MS,
  }
}

function imported(source) {
  return [...source.matchAll(IMPORT_SCRIPTS)].flatMap(([, names]) =>
    [...names.matchAll(/["']([^"']+)["']/g)].map(([, name]) => name),
  )
}

const DIRECTIVE = /^(?:\s|\/\/.*\n|\/\*[\s\S]*?\*\/)*(['"])use strict\1/

/** Each script is evaluated inside of the one before, so a strict one would make a sloppy test strict. */
function inOneStrictness(sources) {
  if (DIRECTIVE.test(sources.at(-1))) return sources
  return sources.map((source) => source.replace(DIRECTIVE, (text) => text.replace('use strict', 'sloppy')))
}

/** Files that the scripts may fetch, by path: there is no server beside. */
function resources(root, sources, resolve) {
  const names = new Set()
  for (const source of sources) {
    for (const [, name] of source.matchAll(PATH_LITERAL)) names.add(resolve(name))
    const idl = IDL_TEST.exec(source)
    if (idl === null) continue
    for (const [, name] of `${idl[1]}${idl[2]}`.matchAll(/['"]([\w.-]+)['"]/g))
      names.add(`/interfaces/${name}.idl`)
  }
  const isFile = (name) => statSync(join(root, name), { throwIfNoEntry: false })?.isFile() === true
  return Object.fromEntries(
    [...names].filter(isFile).map((name) => [name, readFileSync(join(root, name), 'utf8')]),
  )
}
