import { host } from './bridge.ts'
import type { FeatureHooks } from './features/hooks.ts'
import { FEATURES, type FeatureName, featureBit } from './features/names.ts'
import { OP } from './ops.ts'
import { defineProperty, getOwnDescriptor } from './primordials.ts'

/** Modules that scripts loaded later import: by their path, the exports that are wanted (scripts/build-guest.mjs). */
type SharedModules = Record<string, Record<string, unknown>>
type FeatureScript = (modules: SharedModules) => void

const modules: SharedModules = { __proto__: null } as never
const hooks: Partial<FeatureHooks> = { __proto__: null } as never

/**
 * Called once, by the end of the core's script.
 * @public
 */
export function shareModules(core: SharedModules): void {
  for (const path in core) modules[path] = core[path]!
}

/** A feature's hooks if it is there: for questions whose answer is no without it. */
export function loadedFeature<N extends FeatureName>(name: N): FeatureHooks[N] | undefined {
  return hooks[name]
}

/**
 * A feature's hooks; it is loaded if it is not there yet, which takes some milliseconds.
 * @public
 */
export function feature<N extends FeatureName>(name: N): FeatureHooks[N] {
  const known = hooks[name] as FeatureHooks[N] | undefined
  if (known !== undefined) return known
  for (let index = 0; index < FEATURES.length; index++) if (FEATURES[index]!.name === name) loadAt(index)
  return hooks[name] as FeatureHooks[N]
}

/** Called by the host while an image is made: the features of this set, and what they need. */
export function preload(set: number): void {
  for (let index = 0; index < FEATURES.length; index++) {
    if ((set & featureBit(index)) !== 0 && hooks[FEATURES[index]!.name] === undefined) loadAt(index)
  }
}

/** The host evaluates the script in this realm; what it imports of others is loaded by {@link requireFeature}. */
function loadAt(index: number): void {
  const script = host(OP.FEATURE, index) as FeatureScript
  script(modules)
}

/**
 * The first thing in a feature's script: its modules come from these.
 * @public
 */
export function requireFeatures(names: readonly FeatureName[]): void {
  for (let i = 0; i < names.length; i++) feature(names[i]!)
}

interface FeatureDefinition<N extends FeatureName> {
  /** Interfaces and functions for the global object. */
  readonly globals: Record<string, unknown>
  readonly hooks: FeatureHooks[N]
}

/** The last thing in a feature's script: it is there from now on. */
export function defineFeature<N extends FeatureName>(name: N, definition: FeatureDefinition<N>): void {
  hooks[name] = definition.hooks
  const { globals } = definition
  for (const key in globals) {
    // What user code has put in its place stays.
    const found = getOwnDescriptor(globalThis, key)
    if (found === undefined || found.get === undefined || found.get !== getters[key]) continue
    defineProperty(globalThis, key, { ...ATTRIBUTES, value: globals[key] })
  }
}

const ATTRIBUTES = { writable: true, enumerable: false, configurable: true } as const
/** By global name, what stands there until its feature is loaded. */
const getters: Record<string, () => unknown> = { __proto__: null } as never

/** Puts getters on the global object that load a feature when it is first used: for what nobody has foreseen. */
export function installFeatures(): void {
  for (const { name, globals, attributes } of FEATURES) {
    for (const key of globals) installLazy(name, key, false)
    for (const key of attributes) installLazy(name, key, true)
  }
}

/** `isAttribute`: the feature has a setter for it, else a value that is set takes its place. */
function installLazy(name: FeatureName, key: string, isAttribute: boolean): void {
  const get = (): unknown => {
    feature(name)
    return (globalThis as unknown as Record<string, unknown>)[key]
  }
  getters[key] = get
  const set = (value: unknown): void => {
    if (isAttribute) {
      feature(name)
      ;(globalThis as unknown as Record<string, unknown>)[key] = value
      return
    }
    defineProperty(globalThis, key, { ...ATTRIBUTES, value })
  }
  defineProperty(globalThis, key, { get, set, enumerable: false, configurable: true })
}
