import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startProgram } from '../lib/server.mjs'

const path = (name) => fileURLToPath(new URL(name, import.meta.url))
const MAIN = path('../../dist/main.js')
const NGINX = '/usr/sbin/nginx'
const NGINX_START_MS_MAX = 10_000
const arch = { x64: 'x64', arm64: 'aarch64' }[process.arch]
const BUN = path(`../node_modules/@oven/bun-${process.platform}-${arch}/bin/bun`)
const SIRV = path('../node_modules/sirv')

/** Every peer, with how it is started over a folder, or why it cannot be (`skip`). */
export const PEERS = [
  ringlet('ringlet, 1 core', 1),
  ringlet('ringlet, 2 cores', 2),
  {
    name: 'nginx',
    skip: existsSync(NGINX) ? undefined : 'not installed',
    start: startNginx,
  },
  {
    name: 'sirv',
    skip: existsSync(SIRV) ? undefined : 'not installed: npm run bench -- install',
    start: (folder) => startProgram(process.execPath, [path('sirv.mjs'), folder], folder),
  },
  {
    name: 'Bun',
    skip: existsSync(BUN) ? undefined : 'not installed: npm run bench -- install',
    start: (folder) => startProgram(BUN, [path('bun.js'), folder], folder),
  },
]

/** With a function beside the files: what a 304 is compared with. */
function ringlet(name, cores) {
  const code = '() => Response.json({ hello: "world" })'
  const config = (folder) => ({
    port: 0,
    cores,
    static: [{ dir: folder }],
    functions: [{ name: 'hello', code, routes: ['/hello'] }],
  })
  return {
    name,
    async start(folder) {
      const file = join(folder, `ringlet-${cores}.json`)
      await writeFile(file, JSON.stringify(config(folder)))
      return startProgram(process.execPath, [MAIN, '--config', file], folder)
    },
  }
}

async function startNginx(folder) {
  const port = await freePort()
  const file = join(folder, 'nginx.conf')
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const temporary = paths.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')
  // One process, as one thread of the others' serves the sockets too; an open-file cache, as they have theirs.
  await writeFile(
    file,
    `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
    events { worker_connections 1024; }
    http { include /etc/nginx/mime.types; access_log off; sendfile on; tcp_nopush on; ${temporary}
      open_file_cache max=1000; keepalive_requests 1000000000;
      server { listen 127.0.0.1:${port}; root ${folder}; } }`,
  )
  const child = spawn(NGINX, ['-p', folder, '-c', file], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const deadline = performance.now() + NGINX_START_MS_MAX
  while (!(await accepts(port))) {
    if (performance.now() > deadline || child.exitCode !== null) throw new Error('nginx did not start')
  }
  return {
    port,
    pid: child.pid,
    async stop() {
      child.kill('SIGTERM')
      await ended
    },
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (isThere) => {
      socket.destroy()
      setTimeout(() => resolve(isThere), isThere ? 0 : 20)
    }
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}
