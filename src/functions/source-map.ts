import { createRequire } from 'node:module'
import type { TraceMap } from '@jridgewell/trace-mapping'
import { LRUCache } from 'lru-cache'

type TraceMapping = typeof import('@jridgewell/trace-mapping')

/** Decoded maps kept: stacks come from few functions at a time, and a decoded map can be large. */
const MAPS_MAX = 16
/** Lines of one stack that are mapped; the engine's own limit is lower. */
const LINES_MAX = 64

const FRAME = /^(\s*at (?:.* \()?)([^()\s]+?):(\d+)(?::(\d+))?(\)?)$/

let tracing: TraceMapping | undefined
const maps = new LRUCache<string, TraceMap>({ max: MAPS_MAX })

/** Loaded at the first failure: most processes never need it. */
function mapOf(mapJson: string): { trace: TraceMapping; map: TraceMap } {
  const trace = (tracing ??= createRequire(import.meta.url)('@jridgewell/trace-mapping') as TraceMapping)
  let map = maps.get(mapJson)
  if (map === undefined) {
    map = new trace.TraceMap(mapJson)
    maps.set(mapJson, map)
  }
  return { trace, map }
}

/** The file name under which a function's bundle stands in stacks. */
export const bundleFilename = (name: string): string => `${name}.js`

/**
 * A stack of the engine with the lines of the bundle (`name:line:column`, both from 1) replaced by the user's file, line and
 * column. Lines of other files stay as they are. Never throws: what cannot be mapped stays.
 */
export function mapStack(stack: string, mapJson: string, name: string): string {
  if (!stack.includes(`${name}:`)) return stack
  try {
    const { trace, map } = mapOf(mapJson)
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
