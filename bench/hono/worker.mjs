import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const CONFIG = `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "app.js", esModule = embed "app.js")],
    compatibilityDate = "2026-01-01",
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
`

/** The app as one module with a configuration for workerd, which resolves no packages itself: in a folder that the caller removes. */
export async function makeWorker() {
  const folder = await mkdtemp(join(tmpdir(), 'ringlet-bench-'))
  await build({
    entryPoints: [fileURLToPath(new URL('./app.js', import.meta.url))],
    outfile: join(folder, 'app.js'),
    bundle: true,
    minify: true,
    format: 'esm',
    conditions: ['workerd', 'worker'],
    logLevel: 'warning',
  })
  const config = join(folder, 'config.capnp')
  await writeFile(config, CONFIG)
  return { config, remove: () => rm(folder, { recursive: true, force: true }) }
}
