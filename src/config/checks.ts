/** What the schema cannot say about one key alone: bounds between keys, and rules of the list of functions. */
import { functionLimits } from './function-limits.ts'
import { REDACTED } from './print.ts'
import type { Problems } from './problems.ts'
import type { Config } from './schema.ts'
import { showPath, showValue } from './values.ts'

/** Names where a key's value comes from: a file, a variable, a flag, or "default". */
export type SourceOf = (path: string) => string

/** What a function's env has its files by. */
const ASSETS = 'ASSETS'

/** A record's header and padding, and what the server adds to the head of an answer, rounded up. */
const RECORD_OVERHEAD_BYTES = 256

interface Relation {
  readonly left: string
  /** Stands for `left` where its value is less. */
  readonly orLess?: string
  readonly right: string
  /** Completes "left must be ..."; `right` stands where the other key's name goes. */
  readonly rule: string
  readonly holds: (left: number, right: number) => boolean
}

const lessThan = (left: string, right: string): Relation => ({
  left,
  right,
  rule: 'less than right',
  holds: (a, b) => a < b,
})
const atMost = (left: string, right: string): Relation => ({
  left,
  right,
  rule: 'at most right',
  holds: (a, b) => a <= b,
})
const atMostHalf = (left: string, right: string): Relation => ({
  left,
  right,
  rule: 'at most half of right',
  holds: (a, b) => a <= b / 2,
})
const fitsRing = (left: string, right: string): Relation => ({
  left,
  right,
  rule: `at most half of right, less ${RECORD_OVERHEAD_BYTES}`,
  holds: (a, b) => a + RECORD_OVERHEAD_BYTES <= b / 2,
})

const RELATIONS: readonly Relation[] = [
  lessThan('ring.lowWatermark', 'ring.highWatermark'),
  lessThan('balance.calmShare', 'balance.busyShare'),
  fitsRing('acceptor.readBufferBytes', 'ring.requestBytes'),
  fitsRing('limits.responseHeadBytes', 'ring.responseBytes'),
  atMost('acceptor.readBufferBytes', 'connection.receiveWindowBytes'),
  lessThan('limits.targetBytes', 'limits.headBytes'),
  atMostHalf('limits.headBytes', 'connection.receiveWindowBytes'),
  atMost('pool.prewarm', 'pool.maxPerFunction'),
  atMost('gc.softBytes', 'gc.highBytes'),
  atMostHalf('files.fileBytes', 'files.cacheBytes'),
  atMostHalf('files.compressBytes', 'files.cacheBytes'),
]

/** These also hold for a function's own limits. */
const LIMIT_RELATIONS: readonly Relation[] = [
  atMost('limits.cpuMs', 'limits.wallMs'),
  atMost('limits.requestsPerRuntime', 'limits.concurrency'),
  // What is awaited whole comes into a runtime at once; of a longer body the function takes what it wants.
  { ...atMostHalf('limits.inlineBodyBytes', 'limits.memoryBytes'), orLess: 'limits.bodyBytes' },
  atMostHalf('limits.responseBytes', 'limits.memoryBytes'),
  atMost('gc.highBytes', 'limits.memoryBytes'),
]

export function checkRelations(config: Config, sourceOf: SourceOf, problems: Problems): void {
  for (const relation of [...RELATIONS, ...LIMIT_RELATIONS]) {
    report(relation, (path) => ({ path, value: numberAt(config, path) }), sourceOf, problems)
  }
  config.functions.forEach(({ limits }, index) => {
    if (limits === undefined) return
    const own = (path: string) =>
      path.startsWith('limits.') && Object.hasOwn(limits, path.slice('limits.'.length))
    const effective = { ...config, limits: { ...config.limits, ...functionLimits(config, limits) } }
    const place = (path: string) => ({
      path: own(path) ? `functions[${index}].${path}` : path,
      value: numberAt(effective, path),
    })
    for (const relation of LIMIT_RELATIONS) {
      if (!own(relation.left) && !own(relation.right)) continue
      report(relation, place, sourceOf, problems)
    }
  })
}

interface Place {
  readonly path: string
  readonly value: number
}

function report(
  relation: Relation,
  place: (path: string) => Place,
  sourceOf: SourceOf,
  problems: Problems,
): void {
  const right = place(relation.right)
  let left = place(relation.left)
  const other = relation.orLess === undefined ? left : place(relation.orLess)
  if (other.value < left.value) left = other
  if (relation.holds(left.value, right.value)) return
  const rule = relation.rule.replace('right', `${right.path} (${right.value}, ${sourceOf(right.path)})`)
  problems.add(`${left.path} (${left.value}, ${sourceOf(left.path)}) must be ${rule}`)
}

function numberAt(config: Config, path: string): number {
  const [section, key] = path.split('.') as [keyof Config, string]
  return (config[section] as unknown as Record<string, number>)[key]!
}

export function checkFunctions(config: Config, sourceOf: SourceOf, problems: Problems): void {
  const nameOwners = new Map<string, string>()
  const routeOwners = new Map<string, string>()
  config.functions.forEach((each, index) => {
    const place = showPath(['functions', index])
    const source = sourceOf(place)
    if ((each.file === undefined) === (each.code === undefined)) {
      const given = each.file === undefined ? 'neither' : 'both'
      problems.add(
        `${source}: ${place} has ${given} file ${given === 'both' ? 'and' : 'nor'} code, must have one`,
      )
    }
    const sameName = nameOwners.get(each.name)
    if (sameName) problems.add(`${source}: ${place}.name "${each.name}" is the name of ${sameName} too`)
    else nameOwners.set(each.name, place)
    each.routes.forEach((route, routeIndex) => {
      const routePlace = `${place}.routes[${routeIndex}]`
      const sameRoute = routeOwners.get(route)
      if (sameRoute) problems.add(`${source}: ${routePlace} "${route}" is the same route as ${sameRoute}`)
      else routeOwners.set(route, routePlace)
    })
    checkSharing(config, each, index, sourceOf, problems)
    if (each.assets !== undefined && Object.hasOwn(each.env ?? {}, ASSETS)) {
      const files = `${place}.assets (dir ${showValue(each.assets.dir)})`
      problems.add(`${source}: ${place}.env.${ASSETS} is set, must not be: ${files} takes that name in env`)
    }
    for (const [name, value] of Object.entries(each.env ?? {})) {
      if (value !== REDACTED) continue
      problems.add(`${source}: ${place}.env.${name} is ${REDACTED} by --print-config; put its value back`)
    }
  })
}

/** A runtime that is reset after each request cannot serve others beside it. */
function checkSharing(
  config: Config,
  { limits, isolation }: Config['functions'][number],
  index: number,
  sourceOf: SourceOf,
  problems: Problems,
): void {
  const { requestsPerRuntime } = functionLimits(config, limits)
  if (requestsPerRuntime === 1 || (isolation ?? config.isolation) !== 'request') return
  const own = `functions[${index}]`
  const place = limits?.requestsPerRuntime === undefined ? 'limits' : `${own}.limits`
  const key = isolation === undefined ? 'isolation' : `${own}.isolation`
  const path = `${place}.requestsPerRuntime`
  problems.add(
    `${path} (${requestsPerRuntime}, ${sourceOf(path)}) must be 1 where ${key} is "request" (${sourceOf(key)})`,
  )
}

export function checkStatic(config: Config, sourceOf: SourceOf, problems: Problems): void {
  const routeOwners = new Map<string, string>()
  config.static.forEach(({ route }, index) => {
    const place = showPath(['static', index])
    const same = routeOwners.get(route)
    if (same) problems.add(`${sourceOf(place)}: ${place}.route "${route}" is the route of ${same} too`)
    else routeOwners.set(route, place)
  })
}
