import { afterEach, expect, test } from 'vitest'
import { Balance } from '../../src/acceptor/balance.ts'
import { actorActivity } from '../../src/shard.ts'
import { type Client, Harness } from './harness.ts'

const OPTIONS = { lookMs: 20, busyShare: 0.75, calmShare: 0.25, stayMs: 1000, connections: 2 }
let open: Harness[] = []
afterEach(() => {
  for (const each of open) each.end()
  open = []
})

/** Two shards, of which the first has so many connections that their actor knows of. */
function world(connections: number, options: Partial<typeof OPTIONS> = {}) {
  const from = new Harness()
  const to = new Harness()
  open.push(from, to)
  const clients = Array.from({ length: connections }, () => from.connectKnown())
  const balance = new Balance([from.link, to.link], { ...OPTIONS, ...options })
  let nowMs = 0
  const look = (times: number) => {
    for (let i = 0; i < times; i++) {
      nowMs += OPTIONS.lookMs
      balance.look(nowMs)
    }
  }
  const sizes = () => [from.link.size, to.link.size]
  return { from, to, clients, balance, look, sizes }
}

/** The shard's actor runs a guest of this connection from now on. */
function run({ handle }: Harness, client?: Client): ReturnType<typeof actorActivity> {
  const activity = actorActivity(handle)
  const { slot, generation } = client?.connection ?? { slot: -1, generation: 0 }
  activity.begin(0, slot, generation, 0)
  return activity
}

/** Looks until a busy shard counts as one. */
const UNTIL_BUSY = 11

test('a busy shard gives its idle connections to a calm one, a few at each look', () => {
  const { from, look, sizes } = world(5)
  run(from)
  look(UNTIL_BUSY - 1)
  expect(sizes()).toEqual([5, 0])
  look(1)
  expect(sizes()).toEqual([3, 2])
  look(1)
  expect(sizes()).toEqual([1, 4])
  look(5)
  expect(sizes()).toEqual([0, 5])
})

test('also one that does not read its ring', () => {
  const { from, look, sizes, clients } = world(3)
  clients[0]!.send('x')
  look(UNTIL_BUSY)
  expect(sizes()).toEqual([1, 2])
  from.actor.take()
  look(100)
  expect(sizes()).toEqual([1, 2])
})

test('nothing moves when both are busy, or neither', () => {
  const { from, to, look, sizes } = world(5)
  look(100)
  run(from)
  run(to)
  look(100)
  expect(sizes()).toEqual([5, 0])
})

test('nor between the two marks: a shard that is half busy neither gives nor takes', () => {
  const { from, to, look, sizes } = world(5)
  const activity = run(to)
  // Half of the looks find it at work, and the first one is at the height of it.
  for (let i = 0; i < 200; i++) {
    look(1)
    if (i % 2 === 0) activity.end()
    else activity.begin(0, -1, 0, 0)
    if (i === 50) run(from)
  }
  expect(sizes()).toEqual([5, 0])
})

test('the connection whose requests keep it busy stays, by one long run or by several', () => {
  const { from, look, clients, sizes } = world(3)
  const activity = run(from, clients[1])
  look(UNTIL_BUSY - 1)
  // Another request of the same client, seen at each look anew.
  for (let i = 0; i < 20; i++) {
    activity.end()
    activity.begin(0, clients[1]!.connection.slot, clients[1]!.connection.generation, 0)
    look(1)
  }
  expect(sizes()).toEqual([1, 2])
  expect(clients[1]!.connection.link).toBe(from.link)
})

test('nothing goes to and fro: who has moved stays for a while, and until it is used', () => {
  const { from, to, look, clients, sizes } = world(2)
  const first = run(from)
  look(UNTIL_BUSY)
  expect(sizes()).toEqual([0, 2])
  first.end()
  from.actor.take()
  to.actor.take()
  const second = run(to)
  // Long after the time to stay.
  look(OPTIONS.stayMs / OPTIONS.lookMs + 50)
  expect(sizes()).toEqual([0, 2])
  const { connection } = clients[0]!
  to.link.deliver(connection, Buffer.from('x'), 1)
  to.actor.take()
  to.actor.idle(1, { slot: connection.slot, generation: connection.generation })
  to.link.drain()
  look(1)
  expect(sizes()).toEqual([1, 1])
  second.end()
})

test('new connections go to the smaller of those that are not busy', () => {
  const { from, to, balance, look } = world(2)
  expect(balance.choose()).toBe(to.link)
  for (let i = 0; i < 5; i++) to.connectKnown()
  expect(balance.choose()).toBe(from.link)
  run(from)
  look(UNTIL_BUSY)
  expect(balance.choose()).toBe(to.link)
  run(to)
  look(50)
  expect(balance.choose()).toBe(from.link.size < to.link.size ? from.link : to.link)
})

test('a shard without an actor takes nothing', () => {
  const { from, to, look, sizes } = world(3)
  to.link.down()
  run(from)
  look(50)
  expect(sizes()).toEqual([3, 0])
  to.restart()
  look(5)
  expect(sizes()).toEqual([0, 3])
})
