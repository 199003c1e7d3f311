import {
  appendFileSync,
  mkdtempSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { CHUNK_BYTES } from '../../src/acceptor/chunks.ts'
import { FileSender } from '../../src/acceptor/files.ts'
import { encodeFileRecord, type FileSegment } from '../../src/file-record.ts'
import { RESPONSE } from '../../src/protocol.ts'
import { type Client, Harness, inShort } from './harness.ts'

/** A file system of a network's can fail at any time: `failAt` counts the looks at open files until one does. */
const trouble = vi.hoisted(() => ({ failAt: Number.POSITIVE_INFINITY, closed: 0 }))
vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>()
  return {
    ...fs,
    fstatSync: (fd: number, options: { bigint: true }) => {
      if (--trouble.failAt < 0) throw Object.assign(new Error('stale'), { code: 'ESTALE' })
      return fs.fstatSync(fd, options)
    },
    close: (fd: number, done: () => void) => {
      trouble.closed++
      fs.close(fd, done)
    },
  }
})

let folder: string
const open: Harness[] = []
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringlet-files-'))
})
afterEach(() => {
  for (const each of open.splice(0)) each.end()
  trouble.failAt = Number.POSITIVE_INFINITY
})
afterAll(() => rmSync(folder, { recursive: true }))

/** Bytes that tell where they stand. */
const content = (length: number) => Buffer.from(Array.from({ length }, (_, i) => (i * 31 + (i >> 8)) & 0xff))

function setup(bytes: Buffer, name = 'file.bin') {
  const harness = new Harness({ responseBytes: 65536 })
  open.push(harness)
  const path = join(folder, name)
  writeFileSync(path, bytes)
  const troubles: string[] = []
  const sender = new FileSender(3_600_000, { unavailable: (_, reason) => troubles.push(reason) })
  harness.link.onFile = (connection, payload) => sender.send(connection, payload)
  const client = harness.connectKnown()
  const identity = statSync(path, { bigint: true })
  const send = (segments: readonly FileSegment[], named = path) => {
    const payload = encodeFileRecord({ path: named, identity, segments })
    harness.actor.answer(RESPONSE.FILE, client.connection, Buffer.from(payload).toString('latin1'))
    harness.link.drain()
  }
  return { ...harness, harness, path, troubles, client, send }
}

/** Lets reads and writes go on until `isDone`; the client takes all that it is given. */
async function flow({ socket }: Client, isDone: () => boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!isDone()) {
    if (Date.now() > deadline) throw new Error('it did not come')
    socket.flush()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const told = ({ actor }: Harness) => inShort(actor.take())

describe('a FILE record', () => {
  test('is bytes and parts of the file in their order, then the actor is told', async () => {
    const bytes = content(3 * CHUNK_BYTES + 17)
    const { harness, client, send } = setup(bytes)
    send([
      Buffer.from('HEAD'),
      { offset: 5, length: 2 * CHUNK_BYTES },
      Buffer.from('|'),
      { offset: 0, length: 3 },
    ])
    const records: string[] = []
    await flow(client, () => records.push(...told(harness)) > 0)
    expect(records).toEqual(['FILE_SENT 0.1'])
    const expected = Buffer.concat([
      Buffer.from('HEAD'),
      bytes.subarray(5, 5 + 2 * CHUNK_BYTES),
      Buffer.from('|'),
      bytes.subarray(0, 3),
    ])
    expect(client.socket.text === expected.toString('latin1')).toBe(true)
    expect(client.connection.sendsFile).toBe(false)
  })

  test.each([
    ['shrinks', (path: string) => truncateSync(path, 10)],
    ['grows', (path: string) => appendFileSync(path, 'x')],
    ['is removed', unlinkSync],
    ['is written again', (path: string) => writeFileSync(path, content(4 * CHUNK_BYTES).reverse())],
  ])(
    'of a file that %s meanwhile ends the connection, with nothing of the new state sent',
    async (_, change) => {
      const bytes = content(4 * CHUNK_BYTES)
      const { harness, client, send, path } = setup(bytes)
      send([{ offset: 0, length: bytes.length }])
      await flow(
        { ...client, socket: { flush: () => {} } } as unknown as Client,
        () => client.socket.text.length > 0,
      )
      change(path)
      await flow(client, () => client.socket.destroyed)
      const sent = Buffer.from(client.socket.text, 'latin1')
      expect(sent.length).toBeLessThan(bytes.length)
      expect(sent.equals(bytes.subarray(0, sent.length))).toBe(true)
      expect(told(harness)).toEqual([])
    },
  )

  test.each([
    ['that is another one by now', (path: string) => writeFileSync(path, 'another'), 'it has changed'],
    ['that is gone', unlinkSync, 'ENOENT'],
  ])('of a file %s is answered 503', async (_, change, reason) => {
    const { client, send, path, troubles } = setup(content(100))
    change(path)
    send([Buffer.from('HEAD'), { offset: 0, length: 100 }])
    await flow(client, () => client.socket.ended)
    expect(client.socket.text).toMatch(/^HTTP\/1\.1 503 .*"error":"file-unavailable"/s)
    expect(troubles).toEqual([reason])
  })

  test('of a file that cannot be looked at is answered 503, and the file is closed', async () => {
    const { client, send, troubles } = setup(content(100))
    trouble.failAt = 0
    trouble.closed = 0
    send([{ offset: 0, length: 100 }])
    await flow(client, () => client.socket.ended)
    expect(client.socket.text).toMatch(/^HTTP\/1\.1 503 .*"error":"file-unavailable"/s)
    expect([troubles, trouble.closed]).toEqual([['ESTALE'], 1])
  })

  test('of a file that cannot be looked at any more ends the connection', async () => {
    const { client, send, harness } = setup(content(4 * CHUNK_BYTES))
    trouble.failAt = 2
    trouble.closed = 0
    send([{ offset: 0, length: 4 * CHUNK_BYTES }])
    await flow(client, () => client.socket.destroyed)
    expect(client.socket.text.length).toBe(CHUNK_BYTES)
    expect([told(harness), trouble.closed]).toEqual([[], 1])
  })

  test('is not followed by a close that would make a part pass for the whole', async () => {
    const { harness, client, send } = setup(content(CHUNK_BYTES))
    send([{ offset: 0, length: CHUNK_BYTES }])
    harness.actor.answer(RESPONSE.DATA_CLOSE, client.connection)
    harness.link.drain()
    expect([client.socket.destroyed, client.socket.ended]).toEqual([true, false])
  })

  test('ends with its actor', async () => {
    const { harness, client, send } = setup(content(CHUNK_BYTES))
    send([{ offset: 0, length: CHUNK_BYTES }])
    harness.link.down()
    expect(client.socket.destroyed).toBe(true)
  })

  test('of many slow clients holds no more than its chunks and a tail for each', async () => {
    const clients = 100
    const bytes = content(4 * CHUNK_BYTES)
    const { harness, send, path } = setup(bytes)
    send([])
    const payload = encodeFileRecord({
      path,
      identity: statSync(path, { bigint: true }),
      segments: [{ offset: 0, length: bytes.length }],
    })
    const slow = Array.from({ length: clients }, () => harness.connectKnown())
    for (const { connection } of slow) harness.link.onFile(connection, payload)
    const queued = () => slow.reduce((sum, { socket }) => sum + socket.text.length, 0)
    await flow(slow[0]!, () => slow.every(({ socket }) => socket.text.length > 0))
    expect(queued()).toBeLessThan(32 * CHUNK_BYTES + clients * 16_384)
    expect(harness.held.usedBytes).toBeLessThanOrEqual(clients * 16_384)
    // They all get theirs in the end.
    const isDone = () => {
      for (const { socket } of slow) socket.flush()
      return slow.every(({ connection }) => !connection.sendsFile)
    }
    await flow(slow[0]!, isDone)
    for (const { socket } of slow) expect(socket.text === bytes.toString('latin1')).toBe(true)
    expect(harness.held.usedBytes).toBe(0)
  })
})
