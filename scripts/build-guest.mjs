// The guest API as scripts: the core, and each feature (src/guest/features), which shares the core's modules and those of the
// features before it. A module exists once: it belongs to the core if the core reaches it, else to the first feature that does.
import { readFile } from 'node:fs/promises'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const CORE = 'src/guest/index.ts'
const FEATURE_MODULE = 'src/guest/feature.ts'
const entryOf = (name) => `src/guest/features/${name}.ts`

const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))

const OPTIONS = {
  define: { RINGLET_VERSION: JSON.stringify(version) },
  absWorkingDir: root,
  bundle: true,
  write: false,
  metafile: true,
  format: 'iife',
  target: 'es2023',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  // Functions keep their source text: less of it is less to copy at each load. What user code can see the name of gets it by
  // finishInterface, installGlobals or defineFeature.
  minifySyntax: true,
  minifyWhitespace: true,
  minifyIdentifiers: true,
  keepNames: false,
  charset: 'ascii',
  legalComments: 'none',
  logLevel: 'warning',
}

/** Named imports of a module of ours: the only form in which another script's module may be imported. */
const IMPORTS = /^(?:import|export)\s+(type\s+)?(?:\{([^}]*)\}|([^'"{]*?))\s*from\s*'(\.[^']+)'/gm

/** What a file imports by name from files of this project: [path, names]. */
function importsOf(file, text) {
  const found = []
  for (const [, isType, names, other, from] of text.matchAll(IMPORTS)) {
    if (isType) continue
    const path = relative(root, resolve(root, file, '..', from))
    const wanted = (names ?? '')
      .split(',')
      .map((name) => name.trim().split(/\s+as\s+/)[0])
      .filter((name) => name !== '' && !name.startsWith('type '))
    found.push({ path, names: wanted, isPlain: other === undefined })
  }
  return found
}

/**
 * Builds all scripts. Resolves to JSON text: `{ core, features }`, the core's script, and of each feature of FEATURES
 * (src/guest/features/names.ts) an expression whose value is a function that takes the shared modules. `more`:
 * by a feature's name, source for its script's end; paths count from the root.
 */
export async function buildGuest(more = {}) {
  const names = await featureNames()
  const owners = new Map()
  const own = (owner, { inputs }) => {
    for (const path of Object.keys(inputs)) if (!owners.has(path)) owners.set(path, owner)
  }
  own('core', (await build({ ...OPTIONS, entryPoints: [CORE] })).metafile)
  const wanted = new Map([[FEATURE_MODULE, new Set(['requireFeatures'])]])
  const needs = new Map()
  for (const name of names) {
    needs.set(name, new Set())
    const sharing = sharingPlugin(name, owners, wanted, needs.get(name))
    own(name, (await build({ ...OPTIONS, entryPoints: [entryOf(name)], plugins: [sharing] })).metafile)
  }
  const core = await build({
    ...OPTIONS,
    stdin: {
      contents: coreEntry(owners, wanted),
      resolveDir: root,
      sourcefile: 'core.ts',
      loader: 'ts',
    },
    globalName: '__ringlet',
  })
  const features = []
  for (const name of names) {
    const sharing = sharingPlugin(name, owners, wanted, new Set(), true)
    const contents = featureEntry(name, owners, wanted) + (more[name] ?? '')
    const { outputFiles } = await build({
      ...OPTIONS,
      stdin: { contents, resolveDir: root, sourcefile: `${name}.ts`, loader: 'ts' },
      plugins: [sharing],
    })
    // What it imports of other features must be there before its own modules run.
    const before = `__modules[${JSON.stringify(FEATURE_MODULE)}].requireFeatures(${JSON.stringify([...needs.get(name)])})`
    features.push(`(function(__modules){${before};${outputFiles[0].text}})`)
  }
  return JSON.stringify({ core: core.outputFiles[0].text, features })
}

async function featureNames() {
  const { outputFiles } = await build({
    ...OPTIONS,
    format: 'esm',
    entryPoints: ['src/guest/features/names.ts'],
  })
  const { FEATURES } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`)
  return FEATURES.map(({ name }) => name)
}

/** Resolves what belongs to an earlier script to its shared module, and notes what is wanted of it. */
function sharingPlugin(feature, owners, wanted, needs, isFinal = false) {
  return {
    name: 'shared-modules',
    setup(build) {
      build.onResolve({ filter: /^\./ }, async ({ path, importer, resolveDir, kind, pluginData }) => {
        if (pluginData === owners || kind === 'entry-point') return undefined
        const found = await build.resolve(path, { importer, resolveDir, kind, pluginData: owners })
        const file = relative(root, found.path)
        const owner = owners.get(file)
        if (owner === undefined || owner === feature) return found
        if (owner !== 'core') needs.add(owner)
        await note(file, importer, wanted)
        return { path: file, namespace: 'shared' }
      })
      build.onLoad({ filter: /.*/, namespace: 'shared' }, ({ path }) => ({
        contents: isFinal ? sharedSource(path, wanted.get(path)) : 'module.exports = {}',
        loader: 'js',
      }))
    },
  }
}

function sharedSource(path, names) {
  const exported = [...names].map((name) => `export const ${name} = shared.${name}`)
  return `const shared = __modules[${JSON.stringify(path)}]\n${exported.join('\n')}`
}

async function note(file, importer, wanted) {
  const from = relative(root, importer)
  for (const { path, names, isPlain } of importsOf(from, await readFile(importer, 'utf8'))) {
    if (path !== file) continue
    if (!isPlain) throw new Error(`${from}: ${file} is another script's: import it by names`)
    const known = wanted.get(file) ?? new Set()
    for (const name of names) known.add(name)
    wanted.set(file, known)
  }
}

/** `{ "path": { name, … }, … }` of a script's modules that others want, with the imports that this takes. */
function sharedModules(owner, owners, wanted) {
  const files = [...wanted.keys()].filter((file) => owners.get(file) === owner).sort()
  const lines = files.map((file, i) => {
    const names = [...wanted.get(file)].sort().map((name) => `${name} as ${name}_${i}`)
    return `import { ${names.join(', ')} } from './${file}'`
  })
  const modules = files.map((file, i) => {
    const names = [...wanted.get(file)].sort().map((name) => `${name}: ${name}_${i}`)
    return [JSON.stringify(file), `{ ${names.join(', ')} }`]
  })
  return { lines: lines.join('\n'), modules }
}

function coreEntry(owners, wanted) {
  const { lines, modules } = sharedModules('core', owners, wanted)
  const shared = modules.map(([file, object]) => `${file}: ${object}`).join(', ')
  return `export * from './${CORE}'\nimport { shareModules } from './${FEATURE_MODULE}'\n${lines}\nshareModules({ ${shared} })\n`
}

function featureEntry(name, owners, wanted) {
  const { lines, modules } = sharedModules(name, owners, wanted)
  const shared = modules.map(([file, object]) => `__modules[${file}] = ${object}\n`).join('')
  return `import './${entryOf(name)}'\n${lines}\n${shared}`
}
