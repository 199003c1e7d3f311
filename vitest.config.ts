import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['ringlet-source', 'module', 'node', 'import', 'default'] },
  ssr: { resolve: { conditions: ['ringlet-source', 'module', 'node', 'import', 'default'] } },
  test: {
    include: ['test/**/*.test.ts'],
    reporters: ['default', './test/support/totals-reporter.ts'],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // Two forks: every end-to-end file starts a server of its own on a port of its own.
    pool: 'forks',
    maxWorkers: 2,
  },
})
