import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

test('starts where all its dependencies are links, as package managers lay them out, and its output is a pipe', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ringlet-linked-'))
  try {
    await cp(join(root, 'dist'), join(folder, 'dist'), { recursive: true })
    await mkdir(join(folder, 'node_modules'))
    for (const name of await readdir(join(root, 'node_modules'))) {
      if (!name.startsWith('.'))
        await symlink(join(root, 'node_modules', name), join(folder, 'node_modules', name))
    }
    for (const cache of ['off', 'on', 'on']) {
      const args = [
        join(folder, 'dist/main.js'),
        '--port',
        '0',
        '--cores',
        '1',
        '--cache',
        cache,
        '-e',
        '() => 1',
      ]
      const env = { ...process.env, XDG_CACHE_HOME: join(folder, 'cache') }
      const child = spawn(process.execPath, args, { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
      let output = ''
      const ended = new Promise((resolve) => child.on('close', resolve))
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output += text
          // Once: a second signal ends it at once.
          if (output.includes('"listening"') && !child.killed) child.kill('SIGTERM')
        })
      }
      expect(await ended, output).toBe(0)
      expect(output).toContain('"stopped"')
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
