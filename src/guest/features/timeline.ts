import { defineFeature } from '../feature.ts'
import { PerformanceEntry, PerformanceMark, PerformanceMeasure } from '../web/performance-entry.ts'
import { PerformanceObserver, PerformanceObserverEntryList } from '../web/performance-observer.ts'
import { extendPerformance } from '../web/user-timing.ts'

extendPerformance()
defineFeature('timeline', {
  globals: {
    PerformanceEntry,
    PerformanceMark,
    PerformanceMeasure,
    PerformanceObserver,
    PerformanceObserverEntryList,
  },
  hooks: {},
})
