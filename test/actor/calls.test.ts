import { expect, test } from 'vitest'
import { BufferBudget } from '../../src/actor/bytes.ts'
import { type Caller, HostWork, RequestCalls } from '../../src/actor/calls.ts'
import type { HostValue } from '../../src/guest/host.ts'
import { OUTCOME } from '../../src/guest/ops.ts'
import { type AsyncOp, CallError, type HostCall } from '../../src/host/call.ts'
import { asyncOps } from '../../src/host/ops.ts'

const BUFFER_BYTES = 1 << 20
const OP = 1

/** A host with one operation, whose calls end when the test says so. */
function world(limit = 10) {
  const begun: { values: readonly HostValue[]; call: HostCall; end: PromiseWithResolvers<HostValue> }[] = []
  const op: AsyncOp = (values, call) => {
    const end = withResolvers<HostValue>()
    begun.push({ values, call, end })
    return end.promise
  }
  const buffers = new BufferBudget(BUFFER_BYTES)
  const work = new HostWork(asyncOps([[OP, op]]), buffers)
  let ends = 0
  let woken: (() => void) | undefined
  work.onEnded = () => {
    ends++
    woken?.()
  }
  const told: [id: number, outcome: number, value: HostValue][] = []
  const caller: Caller = {
    functionIndex: 4,
    charge: () => true,
    complete: (id, outcome, value) => void told.push([id, outcome, value]),
  }
  /** Resolves when so many calls have ended in all. */
  const ended = (count: number) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (ends >= count) resolve()
      }
      woken = look
      look()
    })
  return { begun, buffers, work, told, calls: new RequestCalls(caller, work, limit), caller, ended }
}

interface PromiseWithResolvers<T> {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: unknown) => void
}

function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void
  let reject!: (error: unknown) => void
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

test('a result is told between two turns, once, and its arguments are given back', async () => {
  const { begun, buffers, work, told, calls, ended } = world()
  expect(calls.begin(9, OP, [new Uint8Array(1000), 'text'])).toBeUndefined()
  expect(calls.size).toBe(1)
  expect(work.isUnderWay).toBe(true)
  expect(buffers.usedBytes).toBe(1004)
  expect(begun[0]!.call.scope.functionIndex).toBe(4)
  begun[0]!.end.resolve('done')
  await ended(1)
  expect(told).toEqual([])
  expect(work.hasEnded).toBe(true)
  work.deliver()
  expect(told).toEqual([[9, OUTCOME.DONE, 'done']])
  expect(work.hasEnded).toBe(false)
  work.deliver()
  expect(told).toHaveLength(1)
  expect(calls.size).toBe(0)
  expect(work.isUnderWay).toBe(false)
  expect(buffers.usedBytes).toBe(0)
})

test('a failure is told by its name, in lines that cannot be forged; what nobody foresaw says nothing', async () => {
  const { begun, work, told, calls, ended } = world()
  for (const id of [1, 2, 3]) calls.begin(id, OP, [])
  begun[0]!.end.reject(new CallError('DataError', 'bad\nkey\0\ud800'))
  begun[1]!.end.reject(new CallError('TypeError', 'failed', { code: 'ECONNREFUSED', message: 'no' }))
  begun[2]!.end.reject(new Error('/etc/secret'))
  await ended(3)
  work.deliver()
  expect(told).toEqual([
    [1, OUTCOME.FAILED, 'DataError\nbad key  '],
    [2, OUTCOME.FAILED, 'TypeError\nfailed\nECONNREFUSED\nno'],
    [3, OUTCOME.FAILED, 'OperationError\nthe operation failed'],
  ])
})

test('an operation that throws at once is a failure as well', async () => {
  const { buffers, told, caller } = world()
  const work = new HostWork(
    asyncOps([
      [
        OP,
        () => {
          throw new CallError('TypeError', 'at once')
        },
      ],
    ]),
    buffers,
  )
  const woken = new Promise<void>((resolve) => {
    work.onEnded = resolve
  })
  expect(new RequestCalls(caller, work, 1).begin(1, OP, [])).toBeUndefined()
  await woken
  work.deliver()
  expect(told).toEqual([[1, OUTCOME.FAILED, 'TypeError\nat once']])
})

test('what is refused: too many, too large, an id twice, an unknown operation', () => {
  const { calls, work, caller, buffers } = world(2)
  expect(calls.begin(1, 99, [])).toMatch(/does not know/)
  expect(calls.begin(1, OP, [])).toBeUndefined()
  expect(calls.begin(1, OP, [])).toMatch(/number of its own/)
  expect(calls.begin(Number.NaN, OP, [])).toMatch(/number of its own/)
  expect(calls.begin(2, OP, [])).toBeUndefined()
  expect(calls.begin(3, OP, [])).toMatch(/limits\.pendingCalls is 2/)
  const other = new RequestCalls(caller, work, 2)
  expect(other.begin(1, OP, [new Uint8Array(BUFFER_BYTES)])).toMatch(/buffers of the server/)
  expect(other.size).toBe(0)
  expect(buffers.usedBytes).toBe(0)
  expect(() => asyncOps([[OP, async () => 1]], [[OP, async () => 2]])).toThrow(/number 1/)
})

test('after the end of its request a call tells nobody, whenever it ends', async () => {
  const { begun, work, told, calls, ended, buffers } = world()
  for (const id of [1, 2]) calls.begin(id, OP, [new Uint8Array(10)])
  const [first, second] = begun
  const { signal } = second!.call
  first!.end.resolve('before the end, not yet told')
  await ended(1)
  calls.clear()
  work.deliver()
  expect(signal.aborted).toBe(true)
  expect(first!.call.signal.aborted).toBe(true)
  expect(second!.call.scope.signal.aborted).toBe(true)
  // The next request of the same runtime has the same ids.
  expect(calls.begin(2, OP, [])).toBeUndefined()
  second!.end.resolve('too late')
  await second!.end.promise
  await new Promise(setImmediate)
  work.deliver()
  expect(told).toEqual([])
  expect(calls.size).toBe(1)
  expect(begun[2]!.call.scope).not.toBe(second!.call.scope)
  expect(begun[2]!.call.scope.signal.aborted).toBe(false)
  begun[2]!.end.resolve('in time')
  await ended(2)
  work.deliver()
  expect(told).toEqual([[2, OUTCOME.DONE, 'in time']])
  expect(buffers.usedBytes).toBe(0)
})

test('a call that is given up is under way until its work ends, and makes room for another', async () => {
  const { begun, work, told, calls } = world(1)
  calls.begin(1, OP, [])
  const { signal } = begun[0]!.call
  calls.cancel(1)
  calls.cancel(1)
  calls.cancel(5)
  expect(signal.aborted).toBe(true)
  expect(calls.begin(2, OP, [])).toBeUndefined()
  begun[0]!.end.reject(new CallError('AbortError', 'given up'))
  await new Promise(setImmediate)
  expect(work.isUnderWay).toBe(true)
  work.deliver()
  expect(told).toEqual([])
})

test('one call’s end may end the request: the others of the same turn tell nobody', async () => {
  const { begun, work, told, ended } = world()
  const caller: Caller = {
    functionIndex: 0,
    charge: () => true,
    complete(id, outcome, value) {
      told.push([id, outcome, value])
      calls.clear()
    },
  }
  const calls = new RequestCalls(caller, work, 5)
  for (const id of [1, 2]) calls.begin(id, OP, [])
  for (const { end } of begun) end.resolve('x')
  await ended(2)
  work.deliver()
  expect(told).toEqual([[1, OUTCOME.DONE, 'x']])
})

test('what an operation keeps between the calls of a request is made once', () => {
  const { begun, calls } = world()
  const key = Symbol('kept')
  calls.begin(1, OP, [])
  calls.begin(2, OP, [])
  let made = 0
  const states = begun.map(({ call }) => call.scope.state(key, () => ({ number: ++made })))
  expect(states[0]).toBe(states[1])
  expect(made).toBe(1)
})
