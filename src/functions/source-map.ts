import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { TraceMap } from '@jridgewell/trace-mapping'
import { LRUCache } from 'lru-cache'

type TraceMapping = typeof import('@jridgewell/trace-mapping')

/** Decoded maps kept: stacks come from few functions at a time, and a decoded map can be large. */
const MAPS_MAX = 16
/** Lines of one stack that are mapped; the engine's own limit is lower. */
const LINES_MAX = 64

/** A source map (JSON) that lies in a file, [at, at + bytes) of it: read when it is needed. */
export interface StoredMap {
  readonly path: string
  readonly at: number
  readonly bytes: number
  /** SHA-256: the file may have been replaced since. */
  readonly hash: string
}

/** A source map: its text, or where that is. */
export type MapSource = string | StoredMap

const FRAME = /^(\s*at (?:.* \()?)([^()\s]+?):(\d+)(?::(\d+))?(\)?)$/

let tracing: TraceMapping | undefined
const maps = new LRUCache<string, TraceMap>({ max: MAPS_MAX })

/** Loaded at the first failure: most processes never need it. */
function mapOf(source: MapSource): { trace: TraceMapping; map: TraceMap } {
  const trace = (tracing ??= createRequire(import.meta.url)('@jridgewell/trace-mapping') as TraceMapping)
  const key = typeof source === 'string' ? source : source.hash
  let map = maps.get(key)
  if (map === undefined) {
    map = new trace.TraceMap(typeof source === 'string' ? source : readMap(source))
    maps.set(key, map)
  }
  return { trace, map }
}

/** Throws when it is not there any more. */
function readMap({ path, at, bytes, hash }: StoredMap): string {
  const text = Buffer.alloc(bytes)
  const fd = openSync(path, 'r')
  try {
    readSync(fd, text, 0, bytes, at)
  } finally {
    closeSync(fd)
  }
  if (createHash('sha256').update(text).digest('hex') !== hash) throw new Error('the source map was replaced')
  return text.toString()
}

/** The file name under which a function's bundle stands in stacks. */
export const bundleFilename = (name: string): string => `${name}.js`

/**
 * A stack of the engine, or a text with stacks in it, with the places in the bundle (`name:line:column`, both from 1) replaced by
 * the user's file, line and column. Lines of other files stay as they are. Never throws: what cannot be mapped stays.
 */
export function mapStack(stack: string, source: MapSource, name: string): string {
  if (!stack.includes(`${name}:`)) return stack
  try {
    const { trace, map } = mapOf(source)
    return stack
      .split('\n')
      .map((line, index) => (index < LINES_MAX ? mapLine(line, name, trace, map) : line))
      .join('\n')
  } catch {
    return stack
  }
}

function mapLine(line: string, name: string, trace: TraceMapping, map: TraceMap): string {
  const frame = FRAME.exec(line)
  if (frame === null || frame[2] !== name) return line
  const place = trace.originalPositionFor(map, {
    line: Math.max(1, Number(frame[3])),
    column: Math.max(0, Number(frame[4] ?? 1) - 1),
  })
  if (place.source === null) return line
  return `${frame[1]}${place.source}:${place.line}:${place.column + 1}${frame[5]}`
}
