/** The schema seen as a list of keys: what the environment mapping, the flags, suggestions and the table are made from. */
import * as v from 'valibot'
import type { KeyInfo } from './leaf.ts'
import { configSchema } from './schema.ts'
import type { PathPart } from './values.ts'

type Schema = v.GenericSchema

/** What a node of the schema is, with wrappers (optional, nullable) taken off. A pipe has the properties of its first schema. */
export type Node =
  | { readonly kind: 'section'; readonly entries: Readonly<Record<string, Schema>> }
  | { readonly kind: 'list'; readonly item: Schema }
  | { readonly kind: 'map'; readonly key: Schema; readonly value: Schema }
  | { readonly kind: 'scalar' }

export interface Key {
  /** Dotted; `[]` stands for an index, `.*` for any name. */
  readonly path: string
  readonly info: KeyInfo
  /** Undefined: must be given, or has no value of its own. */
  readonly default: unknown
}

function unwrap(schema: Schema): Schema {
  return 'wrapped' in schema ? unwrap(schema.wrapped as Schema) : schema
}

export function nodeOf(schema: Schema): Node {
  const inner = unwrap(schema) as Schema & {
    entries?: unknown
    item?: unknown
    key?: unknown
    value?: unknown
  }
  if (inner.type === 'strict_object') {
    return { kind: 'section', entries: inner.entries as Record<string, Schema> }
  }
  if (inner.type === 'array') return { kind: 'list', item: inner.item as Schema }
  if (inner.type === 'record') return { kind: 'map', key: inner.key as Schema, value: inner.value as Schema }
  return { kind: 'scalar' }
}

export function infoOf(schema: Schema): KeyInfo | undefined {
  const metadata = v.getMetadata(unwrap(schema))
  return 'rule' in metadata ? (metadata as KeyInfo) : undefined
}

/** The schema of the key at this place, undefined where there is none. */
export function schemaAt(parts: readonly PathPart[], schema: Schema = configSchema): Schema | undefined {
  const [part, ...rest] = parts
  if (part === undefined) return schema
  const node = nodeOf(schema)
  if (node.kind === 'list') return schemaAt(rest, node.item)
  if (node.kind === 'map') return schemaAt(rest, node.value)
  if (node.kind === 'scalar' || !Object.hasOwn(node.entries, part)) return undefined
  return schemaAt(rest, node.entries[part]!)
}

function* walk(path: string, schema: Schema): Generator<Key> {
  const node = nodeOf(schema)
  const info = infoOf(schema)
  if (info) yield { path, info, default: v.getDefault(schema as v.OptionalSchema<Schema, unknown>) }
  if (node.kind === 'section') {
    for (const [name, entry] of Object.entries(node.entries))
      yield* walk(path ? `${path}.${name}` : name, entry)
  } else if (node.kind === 'list') yield* walk(`${path}[]`, node.item)
  else if (node.kind === 'map') yield* walk(`${path}.*`, node.value)
}

let all: readonly Key[] | undefined

/** Every key that has a value, in the schema's order. */
export function allKeys(): readonly Key[] {
  all ??= [...walk('', configSchema)]
  return all
}

/** The keys outside lists: those that the environment and flags can set. */
export function settableKeys(): readonly Key[] {
  return allKeys().filter(({ path, info }) => info.kind !== 'list' && !path.includes('[]'))
}

/** `limits.cpuMs` is `RINGLET_LIMITS_CPU_MS`. */
export function environmentName(path: string): string {
  return `RINGLET_${path
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replaceAll('.', '_')
    .toUpperCase()}`
}

/** Text from the environment or a flag as the key's type; what cannot be read stays text, for the schema to refuse. */
export function coerce(info: KeyInfo, text: string): string | number {
  if (info.kind === 'integer' && /^-?\d+$/.test(text)) return Number(text)
  if (info.kind === 'number' && /^-?\d+(?:\.\d+)?$/.test(text)) return Number(text)
  return text
}
