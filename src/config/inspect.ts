/**
 * Looks at the shape of what someone wrote before its values are checked: keys that do not exist, and sections that are
 * not objects. Valibot would stop at the first unknown key of an object, and has no suggestion for it.
 */
import type * as v from 'valibot'
import { allKeys, type Node, nodeOf } from './keys.ts'
import type { Problems } from './problems.ts'
import { didYouMean } from './suggest.ts'
import { isObject, type PathPart, showPath, typeName } from './values.ts'

/**
 * A copy of `input` with what `schema` knows, prototypes and unknown keys left behind; undefined if nothing is usable.
 * `source` is named in each line.
 */
export function inspect(
  input: unknown,
  schema: v.GenericSchema,
  source: string,
  problems: Problems,
  parts: readonly PathPart[] = [],
): unknown {
  const node = nodeOf(schema)
  if (node.kind === 'section') return inspectSection(input, node, source, problems, parts)
  if (node.kind === 'map') refuseReserved(input, source, problems, parts)
  if (node.kind !== 'list' || !Array.isArray(input)) return input
  return input.map((item, index) => inspect(item, node.item, source, problems, [...parts, index]))
}

function inspectSection(
  input: unknown,
  node: Extract<Node, { kind: 'section' }>,
  source: string,
  problems: Problems,
  parts: readonly PathPart[],
): unknown {
  if (!isObject(input)) {
    const path = showPath(parts)
    problems.addFor(path, `${source}: ${path || 'the whole'} is ${typeName(input)}, must be an object`)
    return undefined
  }
  const known: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(input)) {
    const entry = Object.hasOwn(node.entries, name) ? node.entries[name] : undefined
    const place = [...parts, name]
    if (entry === undefined) {
      problems.add(`${source}: unknown key ${showPath(place)}${suggestion(name, node, parts)}`)
    } else if (value !== undefined) known[name] = inspect(value, entry, source, problems, place)
  }
  return known
}

/** A neighbour with a similar name, else a key of that name in another section. */
function suggestion(
  name: string,
  node: Extract<Node, { kind: 'section' }>,
  parts: readonly PathPart[],
): string {
  const near = didYouMean(name, Object.keys(node.entries))
  if (near || parts.includes('functions')) return near
  const elsewhere = allKeys().find(({ path }) => path.endsWith(`.${name}`) && !path.includes('[]'))
  return elsewhere ? ` (did you mean ${elsewhere.path}?)` : ''
}

/** Valibot leaves these names out of a record without a word. */
const RESERVED = ['__proto__', 'prototype', 'constructor']

function refuseReserved(
  input: unknown,
  source: string,
  problems: Problems,
  parts: readonly PathPart[],
): void {
  if (!isObject(input)) return
  for (const name of RESERVED) {
    if (Object.hasOwn(input, name))
      problems.add(`${source}: ${showPath([...parts, name])} has a reserved name`)
  }
}
