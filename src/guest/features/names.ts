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
}

/** One for all: every base image has this table in it. */
const NONE = [] as const

export const FEATURES = [
  { name: 'url', globals: ['URL', 'URLSearchParams'], attributes: NONE },
  { name: 'encoding', globals: ['TextDecoder', 'TextEncoder', 'atob', 'btoa'], attributes: NONE },
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
  },
  // What takes longer than one step: calls of the host's that end later, bodies that come or go piece by piece.
  { name: 'async', globals: NONE, attributes: NONE },
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
  },
  {
    name: 'compression',
    globals: ['CompressionStream', 'DecompressionStream'],
    attributes: NONE,
  },
  {
    name: 'blob',
    globals: ['Blob', 'File', 'FormData'],
    attributes: NONE,
  },
  {
    name: 'messaging',
    globals: ['MessageChannel', 'MessageEvent', 'MessagePort', 'structuredClone'],
    attributes: NONE,
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
  },
  { name: 'urlpattern', globals: ['URLPattern'], attributes: NONE },
  { name: 'table', globals: NONE, attributes: NONE },
  { name: 'subtle', globals: ['CryptoKey', 'SubtleCrypto'], attributes: NONE },
  // With env.ASSETS, which asks the host in the same way.
  {
    name: 'fetch',
    globals: ['fetch'],
    attributes: NONE,
  },
] as const satisfies readonly FeatureNames[]

export type FeatureName = (typeof FEATURES)[number]['name']

/** Bit of a feature in a set of them. */
export const featureBit = (index: number): number => 1 << index

/** The set of all. */
export const ALL_FEATURES: number = featureBit(FEATURES.length) - 1
