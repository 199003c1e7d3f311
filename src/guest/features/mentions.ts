import type { FeatureName } from './names.ts'

/**
 * How a bundle's text says that it needs a feature, beside by the names of its globals. For the host only: what is in names.ts
 * is in every image.
 */
interface Mentions {
  /** Globals whose names say nothing when a bundle mentions them: then `words` has what does. */
  readonly silent?: readonly string[]
  /** What else needs it, as patterns: members of the core's classes, properties of env. */
  readonly words: readonly string[]
}

export const MENTIONS: Readonly<Partial<Record<FeatureName, Mentions>>> = {
  events: { words: ['\\.signal'] },
  async: { words: ['ReadableStream', '\\.body'] },
  streams: { words: ['\\.body'] },
  blob: { words: ['\\.blob', '\\.formData'] },
  timeline: {
    words: [
      'mark',
      'measure',
      'clearMarks',
      'clearMeasures',
      'getEntries',
      'getEntriesByName',
      'getEntriesByType',
    ],
  },
  table: { words: ['table'] },
  subtle: { words: ['subtle'] },
  fetch: {
    silent: ['fetch'],
    words: [
      // A call, not the handler's own method: `await fetch(`, `= fetch(`, `(fetch(`.
      '(?<=\\b(?:await|return|yield)\\s|[=([?:&|>!]\\s*)fetch(?=\\s*\\()',
      'ASSETS',
      // Members of a Request that are there with it; those whose names say little count where they are a request's.
      'credentials',
      'duplex',
      'integrity',
      'keepalive',
      'referrer(?:Policy)?',
      'req(?:uest)?\\.(?:cache|destination|mode)',
    ],
  },
}
