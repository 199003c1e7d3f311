// Which parts of the guest API a function starts with. A base image is copied at every reset, so it should hold what the function
// uses and little else; each set of features has a base image of its own, and a few are made with the package.

import { MENTIONS } from '../guest/features/mentions.ts'
import {
  ALL_FEATURES,
  FEATURES,
  type FeatureName,
  type FeatureNames,
  featureBit,
} from '../guest/features/names.ts'

const COMMON: readonly FeatureName[] = ['url', 'encoding']

function setOf(names: readonly FeatureName[]): number {
  return FEATURES.reduce((set, { name }, index) => (names.includes(name) ? set | featureBit(index) : set), 0)
}

/** The sets that have a base image, each a part of the next. */
export const BASE_FEATURES: readonly number[] = [...new Set([0, setOf(COMMON), ALL_FEATURES])]

/** Code that can name anything: what it will use cannot be known. */
const DYNAMIC = /\beval\s*\(|\bFunction\s*\(|\b(?:globalThis|self)\s*\[/
const PATTERNS = FEATURES.map(({ name, globals, attributes }: FeatureNames & { name: FeatureName }) => {
  const { words = [], silent = [] } = MENTIONS[name] ?? {}
  const names = globals.filter((global) => !silent.includes(global))
  return new RegExp(`\\b(?:${[...names, ...attributes, ...words].join('|')})\\b`)
})

/**
 * The features that a bundle mentions, be it in a comment: a set that may be too large. What it misses (a name put together at
 * run time) is loaded at its first use.
 */
export function mentionedFeatures(bundle: string): number {
  if (DYNAMIC.test(bundle)) return ALL_FEATURES
  return PATTERNS.reduce((set, mention, index) => (mention.test(bundle) ? set | featureBit(index) : set), 0)
}

/** Index in BASE_FEATURES of the smallest set that covers these. */
export function baseFor(features: number): number {
  return BASE_FEATURES.findIndex((set) => (features & ~set) === 0)
}
