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

/** The bundler shortens names. */
export function nameFunction(value: unknown, name: string): void {
  if (typeof value === 'function') defineProperty(value, 'name', { value: name, configurable: true })
}

/** The last thing in a feature's script: it is there from now on. */
export function defineFeature<N extends FeatureName>(name: N, definition: FeatureDefinition<N>): void {
  hooks[name] = definition.hooks
  const { globals } = definition
  for (const key in globals) {
    nameFunction(globals[key], key)
    // What user code has put in its place stays.
    const found = getOwnDescriptor(globalThis, key)
    if (found === undefined || found.get === undefined || found.get !== getters[key]) continue
    place(key, globals[key])
  }
}

/** WebIDL: interfaces, which begin with a capital, are not enumerable; functions and attributes are. */
const isOperation = (key: string) => key >= 'a'

function place(key: string, value: unknown): void {
  defineProperty(globalThis, key, { value, writable: true, enumerable: isOperation(key), configurable: true })
}

/** By global name, what stands there until its feature is loaded. */
const getters: Record<string, () => unknown> = { __proto__: null } as never

/** Puts getters on the global object that load a feature when it is first used: for what nobody has foreseen. */
export function installFeatures(): void {
  for (let i = 0; i < FEATURES.length; i++) {
    const { globals, attributes } = FEATURES[i]!
    for (let j = 0; j < globals.length; j++) installLazy(globals[j]!)
    for (let j = 0; j < attributes.length; j++) installLazy(attributes[j]!)
  }
}

/** Every image has all of these: one function for each name, a getter without an argument and a setter with one. */
function installLazy(key: string): void {
  const access = (...given: unknown[]): unknown => (given.length === 0 ? load(key) : put(key, given[0]))
  getters[key] = access
  defineProperty(globalThis, key, {
    get: access,
    set: access,
    enumerable: isOperation(key),
    configurable: true,
  })
}

const realm = globalThis as unknown as Record<string, unknown>

function load(key: string): unknown {
  feature(ownerOf(key).name)
  return realm[key]
}

/** A value takes the place of what the feature would put there; an attribute has the feature's own setter. */
function put(key: string, value: unknown): void {
  const { name, attributes } = ownerOf(key)
  if (!has(attributes, key)) {
    place(key, value)
    return
  }
  feature(name)
  realm[key] = value
}

function ownerOf(key: string): (typeof FEATURES)[number] {
  let i = 0
  while (!has(FEATURES[i]!.globals, key) && !has(FEATURES[i]!.attributes, key)) i++
  return FEATURES[i]!
}

function has(list: readonly string[], key: string): boolean {
  for (let i = 0; i < list.length; i++) if (list[i] === key) return true
  return false
}
