import { expect, test } from 'vitest'
import { type ConfigInput, defaultConfig } from '../../src/config/index.ts'
import { availableBytes, boundMemory, shardMemory } from '../../src/memory.ts'

const MIB = 2 ** 20
const FACTS = { imageBytes: 5 * MIB, shardBytes: 2 * MIB }
const bound = (config: ConfigInput, available = 16 * 1024 * MIB) =>
  boundMemory(defaultConfig({ cores: 2, ...config }), FACTS, available)

const sum = ({ budget: _, ...terms }: ReturnType<typeof bound>) =>
  Object.values(terms).reduce((total, bytes) => total + bytes, 0)

test('the terms add up to the budget, and no further', () => {
  for (const config of [
    { memoryBudget: 1024 * MIB },
    { memoryBudget: 700 * MIB, cores: 1 },
    { memoryBudget: 4096 * MIB, cores: 7, penalty: { offences: 0 } },
  ]) {
    const found = bound(config)
    expect(found.budget).toBe(config.memoryBudget)
    expect(sum(found)).toBeLessThanOrEqual(config.memoryBudget)
    expect(sum(found)).toBeGreaterThan(config.memoryBudget - 8)
  }
})

test('without a word it is three quarters of what there is, or what is needed', () => {
  expect(bound({}).budget).toBe(12 * 1024 * MIB)
  const small = bound({}, 512 * MIB)
  expect(small.budget).toBeGreaterThan(384 * MIB)
  expect(small.runtimes).toBe(2 * 65 * MIB)
  expect(availableBytes()).toBeGreaterThan(64 * MIB)
})

test('what is left of it is the runtimes’, shared by the shards', () => {
  const found = bound({ memoryBudget: 2048 * MIB })
  const [normal, penalty] = [shardMemory(found, 2, false), shardMemory(found, 2, true)]
  expect(normal.runtimeBytes * 2).toBe(found.runtimes)
  // The lane of functions that misbehave has room for one at its limit.
  expect(penalty.runtimeBytes).toBe(65 * MIB)
  expect(normal.instances).toBe(Math.floor(normal.runtimeBytes / MIB))
  expect(6 * normal.bufferedBytes).toBe(found.buffers)
})

test('no shard has more instances than the process may have mappings for', () => {
  const found = bound({ memoryBudget: 1024 * 1024 * MIB })
  expect(shardMemory(found, 2, false).instances).toBe(Math.floor(8192 / 3))
})

test('buffers are a share of the memory, or what is said', () => {
  expect(bound({ connection: { bufferedBytes: 10 * MIB } }).buffers).toBe(2 * 3 * 10 * MIB)
  expect(bound({ memoryBudget: 1024 * MIB }).buffers).toBe(2 * 3 * Math.floor((1024 * MIB) / 3 / 8 / 2))
  expect(bound({ memoryBudget: 1024 * 1024 * MIB }).buffers).toBe(2 * 3 * 256 * MIB)
})

test('a budget in which a shard could not have one runtime is refused with what to change', () => {
  const config = { memoryBudget: 300 * MIB, cores: 3, limits: { memoryBytes: 128 * MIB } }
  expect(() => bound(config)).toThrow(
    /^memoryBudget \(314572800\) is less than the \d+ bytes that one runtime on each shard needs: raise memoryBudget, or lower cores \(3\), limits\.memoryBytes \(134217728\), connection\.bufferedBytes \(\d+\) or acceptor\.maxConnections \(10000\)$/,
  )
  const needed = Number(/the (\d+) bytes/.exec(messageOf(() => bound(config)))![1])
  expect(
    bound({ ...config, memoryBudget: needed + 1, connection: { bufferedBytes: 4 * MIB } }).runtimes,
  ).toBeGreaterThanOrEqual(3 * 129 * MIB)
})

test('what the refusal names is enough, and every budget above it', () => {
  for (const cores of [1, 2, 5]) {
    const needed = Number(/the (\d+) bytes/.exec(messageOf(() => bound({ cores, memoryBudget: 1000 })))![1])
    for (const more of [0, 1, MIB, 7 * MIB, 40 * MIB, 90 * MIB, 300 * MIB]) {
      const found = bound({ cores, memoryBudget: needed + more })
      expect(sum(found)).toBeLessThanOrEqual(needed + more)
      expect(found.runtimes).toBeGreaterThanOrEqual(cores * 65 * MIB - cores)
    }
    expect(() => bound({ cores, memoryBudget: needed - 1 })).toThrow(`less than the ${needed} bytes`)
  }
})

test('a function’s own memory limit counts', () => {
  const functions = [{ name: 'a', code: 'x', routes: ['/'], limits: { memoryBytes: 512 * MIB } }]
  expect(() => bound({ memoryBudget: 1024 * MIB })).not.toThrow()
  expect(() => bound({ memoryBudget: 1024 * MIB, functions })).toThrow('memoryBudget')
})

function messageOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}
