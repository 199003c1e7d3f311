import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Bundles a bench's own entry over the sources into dist, for parts that the server gives to nobody; its URL. */
export async function bundleEntry(entry, name) {
  const out = new URL(`../../dist/bench-${name}.js`, import.meta.url)
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: fileURLToPath(out),
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    // The ring package is built into dist as well.
    plugins: [{ name: 'shared', setup: (b) => b.onResolve({ filter: /^@shared\// }, shared) }],
    conditions: ['ringlet-source'],
    logLevel: 'warning',
  })
  return out
}

const shared = () => ({
  path: fileURLToPath(new URL('../../src/shared/ringbuffer/index.ts', import.meta.url)),
})
