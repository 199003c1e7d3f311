// Who else hosts several tenants in one process, with the same functions.
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProgram, startServer } from '../lib/server.mjs'
import { PEERS } from '../peers/peers.mjs'
import { FUNCTIONS } from './functions.mjs'

const ISOLATED_VM = fileURLToPath(new URL('./isolated-vm.mjs', import.meta.url))
const peer = (name) => PEERS.find((each) => each.name === name)

/** A worker for each function, and one before them that looks at the path: one process, one event loop. */
async function startWorkerd(folder) {
  const modules = []
  for (const { name, code } of FUNCTIONS) {
    await writeFile(join(folder, `${name}.js`), workerOf(code))
    modules.push(
      `(name = "${name}", worker = (modules = [(name = "${name}.js", esModule = embed "${name}.js")], compatibilityDate = "2026-01-01"))`,
    )
  }
  await writeFile(join(folder, 'router.js'), ROUTER)
  const bindings = FUNCTIONS.map(({ name }) => `(name = "${name}", service = "${name}")`)
  const router = `(name = "router", worker = (modules = [(name = "router.js", esModule = embed "router.js")], compatibilityDate = "2026-01-01", bindings = [${bindings.join(', ')}]))`
  const config = `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${[...modules, router].join(',\n    ')}],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "router")],
);
`
  const file = join(folder, 'noisy.capnp')
  await writeFile(file, config)
  return startProgram(peer('workerd').command, ['serve', '--control-fd=1', file], folder)
}

const ROUTER = `export default { fetch: (request, env) => env[new URL(request.url).pathname.slice(1)].fetch(request) }`
/** The classes are the platform's, but for Response.text, which is Ringlet's own. */
const workerOf = (code) =>
  `Response.text ??= (text) => new Response(text)\n${code.replace('export default', 'const handler =')}\nexport default { fetch: handler }\n`

/** `only`: the paths of neighbours that end there, and `without` why the others are left out. */
export const RIVALS = [
  {
    name: 'isolated-vm, 50 ms and 64 MB an isolate',
    skip: peer('isolated-vm').skip,
    start: (folder) => startServer(ISOLATED_VM, [], folder),
    only: ['/cpu', '/busy', '/memory', '/huge', '/upload'],
    without: 'V8 refuses at once what hangs QuickJS',
  },
  {
    name: 'workerd, without limits',
    skip: existsSync(peer('workerd').command ?? '') ? undefined : 'not installed',
    start: startWorkerd,
    only: ['/busy', '/huge', '/upload'],
    without: 'nothing ends a loop, or bounds memory, in workerd that one hosts oneself',
  },
]
