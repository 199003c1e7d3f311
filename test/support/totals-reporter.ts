import type { Reporter, TestModule } from 'vitest/node'

/** Prints one plain closing line, `N passed, N failed, N skipped`, for scripts that read the outcome of a run. */
export default class TotalsReporter implements Reporter {
  onTestRunEnd(modules: ReadonlyArray<TestModule>, unhandled: ReadonlyArray<unknown>): void {
    const totals = { passed: 0, failed: unhandled.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      let tests = 0
      for (const test of module.children.allTests()) {
        totals[test.result().state]++
        tests++
      }
      if (tests === 0 && !module.ok()) totals.failed++
    }
    console.log(
      `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped + totals.pending} skipped`,
    )
  }
}
