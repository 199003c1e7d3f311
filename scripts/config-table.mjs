// Writes docs/config.md from the configuration schema. A test fails if the file is not what this writes.
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['src/config/table.ts'],
  bundle: true,
  write: false,
  platform: 'node',
  format: 'esm',
  logLevel: 'warning',
})
const { configMarkdown } = await import(
  `data:text/javascript;base64,${Buffer.from(outputFiles[0].text).toString('base64')}`
)
await mkdir(`${root}docs`, { recursive: true })
await writeFile(`${root}docs/config.md`, configMarkdown())
