import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { configTable } from '../../src/config/index.ts'
import { settableKeys } from '../../src/config/keys.ts'
import { configMarkdown } from '../../src/config/table.ts'

it('docs/config.md is what scripts/config-table.mjs writes', async () => {
  const committed = await readFile(new URL('../../docs/config.md', import.meta.url), 'utf8')
  expect(committed).toBe(configMarkdown())
})

it('every key has a meaning, and what can be set outside a file says how', () => {
  const rows = configTable()
  expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length)
  for (const row of rows) {
    expect(row.meaning, row.key).toMatch(/^[A-Z].*\.$/)
    expect(row.bounds, row.key).not.toBe('')
  }
  expect(rows.filter(({ env }) => env).map(({ key }) => key)).toEqual(settableKeys().map(({ path }) => path))
  expect(rows.filter(({ flag }) => flag).map(({ flag }) => flag)).toEqual([
    '--host',
    '--port',
    '--cores',
    '--engine',
    '--isolation',
    '--log-level',
    '--access-log',
    '--cache',
  ])
})

it('sizes are readable, and no default depends on this machine', () => {
  const row = (key: string) => configTable().find((each) => each.key === key)
  expect(row('limits.memoryBytes')).toMatchObject({
    default: '64 MiB',
    bounds: '20 MiB to 1 GiB, a multiple of 65536',
  })
  expect(row('cores')).toMatchObject({ default: 'processors available', bounds: '1 to 256' })
})
