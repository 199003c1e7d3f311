// What the engine's benches need of it, in one module: the server itself gives none of this out.

export { decodeEntry, encodeEntry } from '../../src/cache/entry.ts'
export { MemoryBudget } from '../../src/engine/budget.ts'
export { buildImage } from '../../src/engine/build.ts'
export { baseFor, mentionedFeatures } from '../../src/engine/features.ts'
export { makeBases } from '../../src/engine/images.ts'
export { Runtime } from '../../src/engine/pool.ts'
export { maximumPages, Pools } from '../../src/engine/pools.ts'
export { FLAG } from '../../src/guest/ops.ts'
