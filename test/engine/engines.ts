import { beforeAll, describe } from 'vitest'
import { MemoryBudget } from '../../src/engine/budget.ts'
import { type BaseImage, buildImage, type EngineKit } from '../../src/engine/build.ts'
import { baseFor, mentionedFeatures } from '../../src/engine/features.ts'
import type { Image } from '../../src/engine/image.ts'
import { makeBases } from '../../src/engine/images.ts'
import { Instance } from '../../src/engine/instance.ts'
import type { EngineLayout } from '../../src/engine/layout.ts'
import type { InstanceLimits } from '../../src/engine/limits.ts'
import { ENGINE_VARIANTS, type EngineCode, type EngineVariant, PAGE_BYTES } from '../../src/engine/module.ts'
import { type PoolEvents, type PoolLimits, Runtime } from '../../src/engine/pool.ts'
import { maximumPages, Pools, type PoolsLimits } from '../../src/engine/pools.ts'
import { FLAG, HEAD_KIND, STATE } from '../../src/guest/ops.ts'
import { buildGuest } from '../guest/sandbox.ts'
import { FakeHost } from '../support/fake-host.ts'

/** Small enough that the guest's limit comes before that of the test's own thread. */
const STACK_BYTES = 96 << 10
const INIT_MS = 5000
export const MEMORY_BYTES = 32 << 20

/** Generous: a test that is about a limit gives its own. */
const INSTANCE_LIMITS: InstanceLimits = { cpuMs: 5000, hostCalls: 1000, gcHardBytes: MEMORY_BYTES / 2 }

export interface Ask {
  readonly method?: string
  readonly path?: string
  /** Text crosses as a string, bytes as an ArrayBuffer. */
  readonly body?: string | Uint8Array
  readonly host?: FakeHost
  readonly fields?: Readonly<Record<string, string>>
}

export interface Answer {
  /** Name in STATE. */
  readonly state: string
  readonly status: number
  readonly failure: Instance['failure']
  /** The guest's own field block, '' unless there is one. */
  readonly head: string
  readonly body: string
  readonly bytes: Uint8Array
}

const STATE_NAMES = Object.fromEntries(Object.entries(STATE).map(([name, value]) => [value, name]))

/** One request, from its beginning to where its answer's memory is freed. */
export function ask(
  instance: Instance,
  { method = 'GET', path = '/', body, host = new FakeHost(), fields = {} }: Ask = {},
): Answer {
  const lines = Object.entries({ host: 'example.test', ...fields }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  const head = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
  const bytes = body === undefined ? null : Buffer.from(body as string)
  instance.begin(host)
  const flags = host.environment === '{}' ? 0 : FLAG.HAS_ENV
  instance.invoke(head, 0, head.length, bytes, 0, bytes?.length ?? 0, typeof body === 'string', flags)
  return takeAnswer(instance)
}

export function takeAnswer(instance: Instance): Answer {
  const { state, status, failure, headKind, headStart, headEnd, bodyStart, bodyEnd } = instance
  const content = instance.bytes.slice(bodyStart, bodyEnd)
  const answer: Answer = {
    state: STATE_NAMES[state]!,
    status,
    failure,
    head:
      headKind === HEAD_KIND.CUSTOM
        ? Buffer.from(instance.bytes.slice(headStart, headEnd)).toString('latin1')
        : '',
    body: Buffer.from(content).toString(),
    bytes: content,
  }
  if (failure === null && state !== STATE.PENDING) instance.settle()
  return answer
}

/** What a pool's events were, counted. */
export interface Counts {
  opened: number
  collected: number
  reset: number
  condemned: number
  notOpened: number
  loaded: number
  evicted: number
  growthRefused: number
  leftBytes: number
  leftAllocations: number
}

/** Parts of the layout that are to be taken as not recognised. */
type Unknown = Partial<Record<keyof EngineLayout, null>>

export class Engine {
  readonly variant: EngineVariant
  #built:
    | { kit: EngineKit; code: EngineCode; bases: BaseImage[]; base: BaseImage; file: Uint8Array }
    | undefined
  guestSource = ''

  readonly #unknown: Unknown

  constructor(variant: EngineVariant, unknown: Unknown = {}) {
    this.variant = variant
    this.#unknown = unknown
  }

  async build(): Promise<void> {
    this.guestSource = await buildGuest()
    const { bases, files, ...built } = await makeBases(
      this.variant,
      Buffer.from(this.guestSource),
      (layout) => ({ ...layout, ...this.#unknown }),
    )
    this.#built = { ...built, bases, base: bases[0]!, file: files[0]! }
  }

  get built() {
    return this.#built!
  }

  /** An image of a function: `body` is the inside of its module, with `exports` in sight. */
  image(
    body: string,
    {
      host = new FakeHost(),
      initMs = INIT_MS,
      stackBytes = STACK_BYTES,
      base = this.built.bases[baseFor(mentionedFeatures(body))]!,
    } = {},
  ): Promise<Image> {
    const { kit, code } = this.built
    const source = { filename: 'function.js', code: `(exports, module, require) => {${body}\n}` }
    const pages = MEMORY_BYTES / PAGE_BYTES
    return buildImage(kit, code, base, source, stackBytes, pages, initMs, host)
  }

  /** An image whose handler is an arrow function's text. */
  handler(text: string): Promise<Image> {
    return this.image(`exports.default = ${text}`)
  }

  /** `hasBarrier`: of the build with the write barrier. */
  async instance(image: Image, limits: Partial<InstanceLimits> = {}, hasBarrier = false): Promise<Instance> {
    const { kit, code } = this.built
    const pages = MEMORY_BYTES / PAGE_BYTES
    const instance = await Instance.open(code, kit.layout, pages, image.pages, hasBarrier)
    instance.load(image, { ...INSTANCE_LIMITS, ...limits })
    return instance
  }

  async serving(text: string, limits: Partial<InstanceLimits> = {}): Promise<Instance> {
    return this.instance(await this.handler(text), limits)
  }

  /** Pools of these images, all with the same limits but for their isolation; no blanks unless it says so. */
  pools(
    images: readonly Image[],
    limits: Partial<PoolLimits> & { isolations?: readonly PoolLimits['isolation'][] } = {},
    { budgetBytes = 1 << 30, ...shard }: Partial<PoolsLimits> & { budgetBytes?: number } = {},
  ): { pools: Pools<Runtime>; counts: Counts; budget: MemoryBudget } {
    const counts: Counts = {
      opened: 0,
      collected: 0,
      reset: 0,
      condemned: 0,
      notOpened: 0,
      loaded: 0,
      evicted: 0,
      growthRefused: 0,
      leftBytes: 0,
      leftAllocations: 0,
    }
    const count = (name: keyof Counts) => () => {
      counts[name]++
    }
    const events: PoolEvents = {
      opened: count('opened'),
      collected: count('collected'),
      reset: count('reset'),
      condemned: count('condemned'),
      notOpened: count('notOpened'),
      loaded: count('loaded'),
      evicted: count('evicted'),
      growthRefused: count('growthRefused'),
      left: (bytes, allocations) => {
        counts.leftBytes += bytes
        counts.leftAllocations += allocations
      },
    }
    const { kit, code } = this.built
    const all: PoolLimits = {
      maxRuntimes: 4,
      perRuntime: 1,
      inFlight: 4,
      isolation: 'reuse',
      boundedRequests: 3,
      boundedMs: 1000,
      gcSoftBytes: MEMORY_BYTES,
      gcHighBytes: MEMORY_BYTES,
      ...limits,
      instance: { memoryBytes: MEMORY_BYTES, ...(limits.instance ?? INSTANCE_LIMITS) },
    }
    const plans = images.map((image, i) => ({
      image,
      limits: { ...all, isolation: limits.isolations?.[i] ?? all.isolation },
    }))
    const budget = new MemoryBudget(budgetBytes)
    const pools = new Pools(
      code,
      kit.layout,
      plans,
      { instances: 100, blanks: 0, maximumPages: maximumPages(plans), ...shard },
      budget,
      events,
      (instance, functionIndex) => new Runtime(instance, functionIndex),
    )
    return { pools, counts, budget }
  }
}

/** Whether there is something to do in a pause. */
export function isUntidy(pools: Pools<Runtime>): boolean {
  return pools.tidyAtMs < Number.POSITIVE_INFINITY
}

/** A runtime, opened if there is none. */
export async function leaseOrGrow(pools: Pools<Runtime>, functionIndex = 0): Promise<Runtime> {
  const runtime = pools.lease(functionIndex)
  if (runtime !== undefined) return runtime
  await pools.grow()
  return pools.lease(functionIndex)!
}

/** Describes `title` once for each build of the engine. */
export function describeEngines(title: string, define: (engine: Engine) => void): void {
  describe.each(ENGINE_VARIANTS)(`${title} on %s`, (variant) => {
    const engine = new Engine(variant)
    beforeAll(() => engine.build())
    define(engine)
  })
}

const UNKNOWN: readonly (readonly [string, Unknown])[] = [
  ['the threshold of the collector', { gcThreshold: null }],
  ['the count of allocations', { allocations: null }],
  ['the state of Math.random', { randomState: null }],
  ['where the heap is', { heap: null }],
  [
    'any of its layout',
    { gcThreshold: null, allocations: null, randomState: null, heap: null, rejections: null },
  ],
]

/** Describes `title` for each build of the engine, once for each part of its layout that may not be recognised. */
export function describeUnknownEngines(title: string, define: (engine: Engine) => void): void {
  for (const variant of ENGINE_VARIANTS) {
    describe.each(UNKNOWN)(`${title} on a ${variant} that does not show %s`, (_, unknown) => {
      const engine = new Engine(variant, unknown)
      beforeAll(() => engine.build())
      define(engine)
    })
  }
}
