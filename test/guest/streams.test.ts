import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ReadableStream, TransformStream, WritableStream } from 'web-streams-polyfill'
import { isTransferableStream, transferStream } from '../../src/guest/web/stream-transfer.ts'
import { describeGuests } from './guests.ts'

/** For code in the guest: all chunks of a stream, and the message that something fails with. */
const HELPERS = `
  const all = async (stream) => { const chunks = []; for await (const chunk of stream) chunks.push(chunk); return chunks }
  const fails = (promise) => promise.then(() => 'nothing', (error) => error?.name ?? error)`

describeGuests('streams', ({ open, run, value }) => {
  it('are the thirteen classes of the standard and the two of Encoding, with WebIDL’s attributes', () => {
    const names = [
      'ReadableStream',
      'ReadableStreamDefaultReader',
      'ReadableStreamBYOBReader',
      'ReadableStreamDefaultController',
      'ReadableByteStreamController',
      'ReadableStreamBYOBRequest',
      'WritableStream',
      'WritableStreamDefaultWriter',
      'WritableStreamDefaultController',
      'TransformStream',
      'TransformStreamDefaultController',
      'ByteLengthQueuingStrategy',
      'CountQueuingStrategy',
      'TextEncoderStream',
      'TextDecoderStream',
    ]
    expect(
      value(`${JSON.stringify(names)}.map((name) => {
        const type = globalThis[name]
        return [type.name, type.prototype[Symbol.toStringTag], Object.keys(globalThis).includes(name)]
      })`),
    ).toEqual(names.map((name) => [name, name, false]))
  })

  it('are iterated, and closed within the loop when it is left', () => {
    expect(
      run(`${HELPERS}
        const cancelled = []
        const stream = () => new ReadableStream({
          start(c) { for (const n of [1, 2, 3]) c.enqueue(n); c.close() }, cancel(reason) { cancelled.push(reason ?? 'left') } })
        const open = () => new ReadableStream({ pull(c) { c.enqueue(0) }, cancel(reason) { cancelled.push(reason ?? 'left') } })
        const seen = [await all(stream())]
        const left = open(); for await (const chunk of left) break
        seen.push([left.locked, (await left.getReader().read()).done])
        const kept = stream(); for await (const chunk of kept.values({ preventCancel: true })) break
        seen.push([kept.locked, await all(kept)])
        const thrown = open(); try { for await (const chunk of thrown) throw 'x' } catch (error) { seen.push([error, thrown.locked]) }
        return [...seen, cancelled]`),
    ).toEqual([
      [1, 2, 3],
      [false, true],
      [false, [2, 3]],
      ['x', false],
      ['left', 'left'],
    ])
  })

  it('have an iterator on %AsyncIteratorPrototype%, whose steps follow each other and refuse strangers', () => {
    expect(
      run(`${HELPERS}
        const iterator = ReadableStream.from(['a', 'b']).values()
        const prototype = Object.getPrototypeOf(iterator)
        const AsyncIteratorPrototype = Object.getPrototypeOf(Object.getPrototypeOf((async function* () {}).prototype))
        const steps = await Promise.all([iterator.next(), iterator.return('r'), iterator.next()])
        const failing = new ReadableStream({ start(c) { c.error(new RangeError('bad')) } }).values()
        return [Object.getPrototypeOf(prototype) === AsyncIteratorPrototype, steps,
          await fails(prototype.next.call({})), await fails(failing.next()), await failing.next()]`),
    ).toEqual([
      true,
      [{ value: 'a', done: false }, { value: 'r', done: true }, { done: true }],
      'TypeError',
      'RangeError',
      { done: true },
    ])
  })

  it('are made of iterables, and pull no more than is asked for', () => {
    expect(
      run(`${HELPERS}
        const log = []
        async function* numbers() { try { for (let n = 0; ; n++) { log.push(n); yield n } } finally { log.push('end') } }
        const reader = ReadableStream.from(numbers()).getReader()
        const first = await reader.read()
        await reader.cancel()
        return [first.value, log, await all(ReadableStream.from(new Set(['x', Promise.resolve('y')]))), await fails(Promise.reject(1))]`),
    ).toEqual([0, [0, 'end'], ['x', 'y'], 1])
  })

  it('hold a source back until its chunks are wanted', () => {
    expect(
      run(`let pulls = 0
        const stream = new ReadableStream({ pull(c) { c.enqueue(++pulls) } }, new CountQueuingStrategy({ highWaterMark: 2 }))
        await new Promise((resolve) => queueMicrotask(() => queueMicrotask(resolve)))
        for (let i = 0; i < 20; i++) await undefined
        const before = pulls, reader = stream.getReader(); await reader.read()
        for (let i = 0; i < 20; i++) await undefined
        return [before, pulls]`),
    ).toEqual([2, 3])
  })

  it('of bytes fill the caller’s buffer, which is taken from it', () => {
    expect(
      run(`const stream = new ReadableStream({ type: 'bytes', pull(c) {
          const view = c.byobRequest.view; view[0] = 7; view[1] = 8; c.byobRequest.respond(2) } })
        const reader = stream.getReader({ mode: 'byob' })
        const mine = new Uint8Array(4), { value, done } = await reader.read(mine)
        reader.releaseLock()
        const [a, b] = stream.tee()
        return [[...value], done, mine.byteLength, a.locked, stream.locked, b.getReader({ mode: 'byob' }) instanceof ReadableStreamBYOBReader]`),
    ).toEqual([[7, 8], false, 0, false, true, true])
  })

  const LOOK = `
    const made = (text) => new ReadableStream({ type: 'bytes', pull(c) { if (text !== '') c.enqueue(new TextEncoder().encode(text)); c.close(); c.byobRequest?.respond(0) } }, { highWaterMark: 0 })
    const all = async (stream) => { let text = ''; for await (const chunk of stream) text += new TextDecoder().decode(chunk) + '|'; return text }
    const show = (value) => value instanceof Uint8Array ? [...value] : value
    const tried = async (f) => { try { return show(await f()) } catch (error) { return error.name + ': ' + error.message } }`

  it.each([
    [
      'a name',
      '[String(s), s instanceof ReadableStream, Object.getPrototypeOf(s) === ReadableStream.prototype, s.locked]',
    ],
    [
      'what the library keeps of it',
      '[Object.keys(s).sort(), s._readableStreamController._controlledReadableByteStream === s, Object.keys(s).sort(), s._disturbed, s._state]',
    ],
    ['a loop', '[await all(s), s.locked, await tried(() => s.getReader().read())]'],
    [
      'a reader',
      'const r = s.getReader(); const a = await r.read(), b = await r.read(); return [show(a.value), a.done, b, await r.closed, s.locked, await tried(() => s.getReader())]',
    ],
    [
      'reads at once',
      'const r = s.getReader(); return (await Promise.all([r.read(), r.read(), r.read()])).map(({ value, done }) => [show(value), done])',
    ],
    [
      'a released reader',
      'const r = s.getReader(); r.releaseLock(); return [s.locked, await all(s), await tried(() => r.read())]',
    ],
    [
      'a buffer of the caller’s',
      'const r = s.getReader({ mode: "byob" }); const a = await r.read(new Uint8Array(2)), b = await r.read(new Uint8Array(9)), c = await r.read(new Uint8Array(9)); return [a, b, c].map(({ value, done }) => [show(value), done])',
    ],
    [
      'cancelling',
      '[await tried(() => s.cancel("why")), s.locked, await tried(async () => (await s.getReader().read()).done)]',
    ],
    [
      'cancelling by a reader',
      'const r = s.getReader(); const reading = r.read(); return [await tried(() => r.cancel()), await tried(async () => (await reading).done), await tried(() => r.closed)]',
    ],
    ['two branches', 'const [a, b] = s.tee(); return [s.locked, await all(a), await all(b)]'],
    ['one branch cancelled', 'const [a, b] = s.tee(); void a.cancel(); return [await all(b)]'],
    [
      'a pipe',
      'const got = []; await s.pipeTo(new WritableStream({ write(chunk) { got.push(...chunk) } })); return [got, s.locked]',
    ],
    ['a pipe through', '[await all(s.pipeThrough(new TransformStream()))]'],
    ['a transfer', 'const t = structuredClone(s, { transfer: [s] }); return [s.locked, await all(t)]'],
    [
      'a body that is read while it is looked at',
      'const r = new Response(s), reading = r.text(); const now = [r.bodyUsed, s.locked, await tried(() => r.text()), await tried(() => s.cancel()), await tried(() => s.getReader())]; return [...now, await reading, s.locked, r.body === s, await tried(() => r.clone())]',
    ],
    [
      'a body as bytes',
      'const r = new Response(s), a = await r.bytes(); return [show(a), await tried(() => r.arrayBuffer())]',
    ],
    [
      'a body whose stream is read',
      'const r = new Response(s), reader = s.getReader(); return [await tried(() => r.text()), r.bodyUsed, show((await reader.read()).value), r.bodyUsed]',
    ],
    [
      'a body whose stream was looked at',
      'const r = new Response(s); s.getReader().releaseLock(); return [await r.text(), r.bodyUsed]',
    ],
    [
      'a body',
      'const r = new Response(s); return [await r.text(), r.bodyUsed, s.locked, await tried(() => new Response(s))]',
    ],
  ])('of what is there already are as any other of bytes: %s', (_, what) => {
    const body = what.includes('return ') ? what : `return ${what}`
    const [ours, plain] = run(`${LOOK}
      const use = async (s) => { ${body} }
      const outcomes = []
      for (const of of [(text) => new Response(text).body, made]) outcomes.push([await use(of('hello')), await use(of(''))])
      return outcomes`) as [unknown, unknown]
    expect(plain).toHaveLength(2)
    expect(ours).toEqual(plain)
  })

  it('are teed and piped, errors both ways', () => {
    expect(
      run(`${HELPERS}
        const [a, b] = ReadableStream.from([1, 2]).tee()
        const double = () => new TransformStream({ transform(n, c) { c.enqueue(n * 2) }, flush(c) { c.enqueue('end') } })
        const written = []
        await b.pipeThrough(double()).pipeTo(new WritableStream({ write(chunk) { written.push(chunk) }, close() { written.push('closed') } }))
        let cancelled
        const source = new ReadableStream({ pull(c) { c.enqueue(1) }, cancel(reason) { cancelled = reason.message } })
        const failing = await fails(source.pipeTo(new WritableStream({ write() { throw new Error('full') } })))
        let aborted
        const broken = new ReadableStream({ start(c) { c.error(new Error('torn')) } })
        await fails(broken.pipeTo(new WritableStream({ abort(reason) { aborted = reason.message } })))
        return [await all(a), written, failing, cancelled, aborted]`),
    ).toEqual([[1, 2], [2, 4, 'end', 'closed'], 'Error', 'full', 'torn'])
  })

  it('tell a writer when to wait', () => {
    expect(
      run(`let done
        const writer = new WritableStream({ write() { return new Promise((resolve) => { done = resolve }) } },
          new ByteLengthQueuingStrategy({ highWaterMark: 3 })).getWriter()
        await undefined
        const sizes = [writer.desiredSize]
        writer.write(new Uint8Array(2)); sizes.push(writer.desiredSize)
        writer.write(new Uint8Array(2)); sizes.push(writer.desiredSize)
        let ready = false; writer.ready.then(() => { ready = true })
        for (let i = 0; i < 20; i++) await undefined
        const early = ready; done(); for (let i = 0; i < 20; i++) await undefined
        return [sizes, early, ready, writer.desiredSize]`),
    ).toEqual([[3, 1, -1], false, true, 1])
  })

  it('encode text whose surrogates meet across chunks, and decode in every encoding', () => {
    expect(
      run(`${HELPERS}
        const bytes = await all(ReadableStream.from(['a\\ud83d', '\\ude00', '', '\\ud800', 7]).pipeThrough(new TextEncoderStream()))
        const text = (label, ...chunks) => all(ReadableStream.from(chunks.map((c) => new Uint8Array(c))).pipeThrough(new TextDecoderStream(label)))
        return [bytes.map((chunk) => [...chunk]), await text('utf-8', [0xef, 0xbb], [0xbf, 0xf0, 0x9f], [0x98, 0x80, 0xe2]), await text('shift_jis', [0x82], [0xa0, 0x41]),
          await fails(all(ReadableStream.from([new Uint8Array([0xff])]).pipeThrough(new TextDecoderStream('utf-8', { fatal: true })))),
          await fails(all(ReadableStream.from(['x']).pipeThrough(new TextDecoderStream())))]`),
    ).toEqual([
      [[97], [0xf0, 0x9f, 0x98, 0x80], [0xef, 0xbf, 0xbd, 0x37]],
      ['😀', '�'],
      ['あA'],
      'TypeError',
      'TypeError',
    ])
  })

  it('decode alike wherever the chunks are cut (property)', () => {
    const sandbox = open()
    sandbox.load(`exports.default = async (request) => {
      const chunks = JSON.parse(await request.text()), texts = []
      const stream = ReadableStream.from(chunks.map((chunk) => new Uint8Array(chunk))).pipeThrough(new TextDecoderStream())
      for await (const text of stream) texts.push(text)
      return Response.json(texts.join('')) }`)
    const byte = fc.constantFrom(
      0x41,
      0xc3,
      0xa9,
      0xe2,
      0x82,
      0xac,
      0xf0,
      0x9f,
      0x98,
      0x80,
      0xef,
      0xbb,
      0xbf,
      0xed,
      0xff,
    )
    fc.assert(
      fc.property(fc.array(fc.array(byte, { maxLength: 5 }), { maxLength: 8 }), (chunks) => {
        const answer = sandbox.invoke('POST / HTTP/1.1\r\nHost: h\r\n\r\n', JSON.stringify(chunks))
        expect(JSON.parse(answer.body)).toBe(new TextDecoder().decode(new Uint8Array(chunks.flat())))
      }),
      { numRuns: 100 },
    )
  })
})

describe('a transferred stream', () => {
  const read = async (stream: object) => {
    const chunks: unknown[] = []
    for await (const chunk of stream as AsyncIterable<unknown>) chunks.push(chunk)
    return chunks
  }
  const clone = (chunk: unknown) => {
    if (typeof chunk === 'function') throw new RangeError('cannot be cloned')
    return structuredClone(chunk)
  }

  it('hands copies of its chunks on, and leaves the first one locked', async () => {
    const chunk = { a: 1 }
    const stream = ReadableStream.from([chunk, 'b'])
    const moved = transferStream(stream, clone)
    const [copy, text] = await read(moved)
    expect([stream.locked, copy, copy === chunk, text]).toEqual([true, { a: 1 }, false, 'b'])
    expect(() => transferStream(stream, clone)).toThrow(expect.objectContaining({ name: 'DataCloneError' }))
  })

  it('fails on both ends for a chunk that cannot be cloned', async () => {
    let cancelled: unknown
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(() => {}),
      cancel: (reason) => {
        cancelled = reason
      },
    })
    await expect(read(transferStream(stream, clone))).rejects.toThrow('cannot be cloned')
    expect(cancelled).toBeInstanceOf(RangeError)
  })

  it('may be writable, or both', async () => {
    const written: unknown[] = []
    const sink = new WritableStream({
      write: (chunk) => {
        written.push(chunk)
      },
      close: () => {
        written.push('closed')
      },
    })
    const writer = (transferStream(sink, clone) as WritableStream).getWriter()
    await writer.write('x')
    await writer.close()
    const transform = transferStream(new TransformStream(), clone) as TransformStream
    const piped = ReadableStream.from([1, 2]).pipeThrough(transform)
    expect([written, sink.locked, await read(piped)]).toEqual([['x', 'closed'], true, [1, 2]])
  })

  it('is one of the three classes, not what looks like one', () => {
    expect(isTransferableStream(new WritableStream())).toBe(true)
    expect(isTransferableStream({ locked: false, readable: new ReadableStream() })).toBe(false)
    expect(isTransferableStream(null)).toBe(false)
  })
})
