import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const NGINX = '/usr/sbin/nginx'
const START_DEADLINE_MS = 10_000

export const hasNginx = existsSync(NGINX)

/** nginx over the same folder, set up to do what Ringlet does where it can be. */
export class Nginx {
  readonly port: number
  readonly #child: ChildProcess
  readonly #folder: string

  private constructor(port: number, child: ChildProcess, folder: string) {
    this.port = port
    this.#child = child
    this.#folder = folder
  }

  static async start(root: string): Promise<Nginx> {
    const port = await freePort()
    const folder = mkdtempSync(join(tmpdir(), 'ringlet-nginx-'))
    const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((name) => `${name}_temp_path ${folder}/${name};`)
      .join(' ')
    writeFileSync(
      join(folder, 'nginx.conf'),
      `${process.getuid?.() === 0 ? 'user root;' : ''} daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
      events { worker_connections 256; }
      http { include /etc/nginx/mime.types; default_type application/octet-stream; access_log off; ${paths}
        charset utf-8; charset_types text/html text/css text/plain text/javascript;
        server { listen 127.0.0.1:${port}; root ${root}; gzip_static on; if_modified_since before; max_ranges 16;
          disable_symlinks on from=${root}; absolute_redirect off;
          location ~ /\\. { return 404; } } }`,
    )
    const child = spawn(NGINX, ['-p', folder, '-c', join(folder, 'nginx.conf')], { stdio: 'ignore' })
    const nginx = new Nginx(port, child, folder)
    const deadline = Date.now() + START_DEADLINE_MS
    while (!(await accepts(port))) {
      if (Date.now() > deadline || child.exitCode !== null) throw new Error('nginx did not start')
    }
    return nginx
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGTERM')
    await ended
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (isThere: boolean) => {
      socket.destroy()
      setTimeout(() => resolve(isThere), isThere ? 0 : 20)
    }
    socket.once('connect', () => end(true)).once('error', () => end(false))
  })
}
