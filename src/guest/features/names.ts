/**
 * The parts of the guest API that a runtime has only when its function needs them. Imports nothing, so that both sides may
 * import it. Order matters: a feature may import modules of the core and of those before it, and is loaded after them.
 */
export interface FeatureNames {
  readonly name: string
  /** What it puts on the global object. */
  readonly globals: readonly string[]
  /** Accessor properties of the global object that it defines itself. */
  readonly attributes: readonly string[]
  /** Globals whose names say nothing when a bundle mentions them: then `words` has what does. */
  readonly silent?: readonly string[]
  /** What else in a bundle's text needs it, as patterns: members of the core's classes. */
  readonly words: readonly string[]
}

/** One for all: every base image has this table in it. */
const NONE = [] as const

export const FEATURES = [
  { name: 'url', globals: ['URL', 'URLSearchParams'], attributes: NONE, words: NONE },
  { name: 'encoding', globals: ['TextDecoder', 'TextEncoder'], attributes: NONE, words: NONE },
  {
    name: 'events',
    globals: [
      'AbortController',
      'AbortSignal',
      'CustomEvent',
      'ErrorEvent',
      'Event',
      'EventTarget',
      'PromiseRejectionEvent',
      'addEventListener',
      'dispatchEvent',
      'removeEventListener',
      'reportError',
    ],
    attributes: ['onerror', 'onrejectionhandled', 'onunhandledrejection'],
    words: ['\\.signal'],
  },
  // What takes longer than one step: calls of the host's that end later, bodies that come or go piece by piece.
  { name: 'async', globals: NONE, attributes: NONE, words: ['ReadableStream', '\\.body'] },
  {
    name: 'streams',
    globals: [
      'ByteLengthQueuingStrategy',
      'CountQueuingStrategy',
      'ReadableByteStreamController',
      'ReadableStream',
      'ReadableStreamBYOBReader',
      'ReadableStreamBYOBRequest',
      'ReadableStreamDefaultController',
      'ReadableStreamDefaultReader',
      'TextDecoderStream',
      'TextEncoderStream',
      'TransformStream',
      'TransformStreamDefaultController',
      'WritableStream',
      'WritableStreamDefaultController',
      'WritableStreamDefaultWriter',
    ],
    attributes: NONE,
    words: ['\\.body'],
  },
  {
    name: 'compression',
    globals: ['CompressionStream', 'DecompressionStream'],
    attributes: NONE,
    words: NONE,
  },
  {
    name: 'blob',
    globals: ['Blob', 'File', 'FormData'],
    attributes: NONE,
    words: ['\\.blob', '\\.formData'],
  },
  {
    name: 'messaging',
    globals: ['MessageChannel', 'MessageEvent', 'MessagePort', 'structuredClone'],
    attributes: NONE,
    words: NONE,
  },
  {
    name: 'timeline',
    globals: [
      'PerformanceEntry',
      'PerformanceMark',
      'PerformanceMeasure',
      'PerformanceObserver',
      'PerformanceObserverEntryList',
    ],
    attributes: NONE,
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
  { name: 'urlpattern', globals: ['URLPattern'], attributes: NONE, words: NONE },
  { name: 'table', globals: NONE, attributes: NONE, words: ['table'] },
  { name: 'subtle', globals: ['CryptoKey', 'SubtleCrypto'], attributes: NONE, words: ['subtle'] },
  // A call, not the handler's own method: `await fetch(`, `= fetch(`, `(fetch(`.
  {
    name: 'fetch',
    globals: ['fetch'],
    attributes: NONE,
    silent: ['fetch'],
    words: ['(?<=\\b(?:await|return|yield)\\s|[=([?:&|>!]\\s*)fetch(?=\\s*\\()'],
  },
] as const satisfies readonly FeatureNames[]

export type FeatureName = (typeof FEATURES)[number]['name']

/** Bit of a feature in a set of them. */
export const featureBit = (index: number): number => 1 << index

/** The set of all. */
export const ALL_FEATURES: number = featureBit(FEATURES.length) - 1
