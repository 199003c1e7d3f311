import { TextDecoder as StandardDecoder } from '@exodus/bytes/encoding.js'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { describeGuests } from './guests.ts'

describeGuests('encodings', ({ open, run, value }) => {
  it('encode UTF-8', () => {
    expect(value(`[...new TextEncoder().encode('aé\\0😀\\ud800')]`)).toEqual([...Buffer.from('aé\0😀\ufffd')])
    expect(
      value(
        `[new TextEncoder().encode().length, new TextEncoder().encoding, new TextEncoder().encode(12).length]`,
      ),
    ).toEqual([0, 'utf-8', 2])
  })

  it.each([
    ['aé😀b', 4],
    ['aé😀b', 7],
    ['aé😀b', 8],
    ['é', 1],
    ['', 3],
    ['\ud800x', 3],
  ])('encode %j into %i bytes', (text, room) => {
    const bytes = new Uint8Array(room)
    const { read, written } = new TextEncoder().encodeInto(text, bytes)
    expect(
      run(
        `const b = new Uint8Array(${room}); const { read, written } = new TextEncoder().encodeInto(${JSON.stringify(text)}, b); return [read, written, [...b]]`,
      ),
    ).toEqual([read, written, [...bytes]])
  })

  it.each([
    ['utf-8', [0xef, 0xbb, 0xbf, 0x61, 0, 0xff], '{}'],
    ['UTF8 ', [0xef, 0xbb, 0xbf, 0x61], '{ ignoreBOM: true }'],
    ['utf-16le', [0x61, 0, 0x3d, 0xd8], '{}'],
    ['iso-8859-2', [0xff, 0xe9, 0xb1], '{}'],
    ['shift_jis', [0x82, 0xa0], '{}'],
  ])('decode %s', (label, bytes, options) => {
    const decoder = new TextDecoder(label, options === '{}' ? {} : { ignoreBOM: true })
    expect(
      run(
        `const d = new TextDecoder(${JSON.stringify(label)}, ${options}); return [d.encoding, d.decode(new Uint8Array([${bytes}]))]`,
      ),
    ).toEqual([decoder.encoding, decoder.decode(Uint8Array.from(bytes))])
  })

  it('decode windows-1252, also as latin1', () => {
    expect(
      value(
        `[new TextDecoder('latin1').encoding, new TextDecoder('latin1', { ignoreBOM: true }).decode(new Uint8Array([255, 0x80, 0x9f, 0x81, 0xe9]))]`,
      ),
    ).toEqual(['windows-1252', '\xff\u20ac\u0178\x81\xe9'])
  })

  it('decode what a view covers, and nothing', () => {
    expect(
      value(
        `[new TextDecoder().decode(new Uint8Array([97, 98, 99]).subarray(1, 2)), new TextDecoder().decode()]`,
      ),
    ).toEqual(['b', ''])
  })

  it('throw for wrong bytes if fatal, and work on', () => {
    expect(
      run(
        `const d = new TextDecoder('utf-8', { fatal: true }); try { d.decode(new Uint8Array([255])) } catch (e) { return [e.name, d.fatal, d.decode(new Uint8Array([97]))] }`,
      ),
    ).toEqual(['TypeError', true, 'a'])
  })

  it('throw for unknown labels and wrong arguments', () => {
    expect(
      value(`[() => new TextDecoder('utf-9'), () => new TextDecoder('a'.repeat(100)), () => new TextDecoder('utf-8\\0'),
        () => new TextDecoder().decode('x'), () => new TextEncoder().encodeInto('x', [])].map((f) => { try { f() } catch (e) { return e.name } })`),
    ).toEqual(['RangeError', 'RangeError', 'RangeError', 'TypeError', 'TypeError'])
  })

  it.each(['utf-8', 'utf-16le', 'utf-16be', 'iso-8859-16', 'gbk', 'iso-2022-jp'])(
    'decode %s in pieces as in one (property)',
    (label) => {
      const sandbox = open()
      sandbox.load(`exports.default = async (request) => {
      const bytes = new Uint8Array(await request.arrayBuffer()), cuts = request.headers.get('cuts').split(',').map(Number)
      const d = new TextDecoder('${label}'); let text = '', from = 0
      for (const cut of cuts) { text += d.decode(bytes.subarray(from, cut), { stream: true }); from = cut }
      return Response.json(text + d.decode(bytes.subarray(from))) }`)
      const byte = fc.constantFrom(
        0x61,
        0,
        0xef,
        0xbb,
        0xbf,
        0xc3,
        0xa9,
        0xf0,
        0x9f,
        0x98,
        0x80,
        0xed,
        0xd8,
        0xdc,
        0xe0,
        0xf4,
        0xff,
        0xfe,
      )
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 12 }),
          fc.array(byte, { maxLength: 12 }),
          fc.array(fc.nat(24), { maxLength: 4 }),
          (any, chosen, places) => {
            const bytes = Uint8Array.of(...chosen, ...any)
            const cuts = places.map((place) => Math.min(place, bytes.length)).sort((a, b) => a - b)
            const answer = sandbox.invoke(
              `POST / HTTP/1.1\r\nHost: h\r\nCuts: ${[0, ...cuts].join(',')}\r\n\r\n`,
              bytes,
            )
            expect(JSON.parse(answer.body)).toBe(new StandardDecoder(label).decode(bytes))
          },
        ),
        { numRuns: 100 },
      )
    },
  )

  it('btoa and atob are each other’s inverse', () => {
    const bytes = String.fromCharCode(...Array.from({ length: 256 }, (_, i) => i))
    for (const length of [0, 1, 2, 3, 256]) {
      expect(value(`btoa(${JSON.stringify(bytes.slice(0, length))})`)).toBe(btoa(bytes.slice(0, length)))
      expect(value(`atob(' ${btoa(bytes.slice(0, length))}\\n')`)).toBe(bytes.slice(0, length))
    }
    expect(value(`[atob('YQ'), atob('YQ=='), atob('Y Q'), btoa(12)]`)).toEqual(['a', 'a', 'a', 'MTI='])
    expect(
      value(
        `['a', 'YQ=', '====', 'Y=Q=', 'é', 'YWJj='].map((t) => { try { return atob(t) } catch (e) { return e.name + e.code } })`,
      ),
    ).toEqual(Array.from({ length: 6 }, () => 'InvalidCharacterError5'))
    expect(
      run(
        `try { btoa('\\u0100') } catch (e) { return [e.name, e instanceof DOMException, e instanceof Error] }`,
      ),
    ).toEqual(['InvalidCharacterError', true, true])
  })

  it('decodes a part of a buffer where it lies, whatever came before', () => {
    expect(
      run(`
        const bytes = new TextEncoder().encode('<<\\u{1F600}é>>'), part = bytes.subarray(2, 8)
        const decoder = new TextDecoder(), fatal = new TextDecoder('utf-8', { fatal: true }), latin = new TextDecoder('latin1')
        const out = [decoder.decode(part), latin.decode(bytes.subarray(0, 2)), decoder.decode(new DataView(bytes.buffer, 6, 2)), decoder.decode(new Uint16Array(bytes.buffer, 0, 1))]
        out.push(decoder.decode(bytes.subarray(2, 4), { stream: true }), decoder.decode(bytes.subarray(4, 8)), decoder.decode(part))
        try { fatal.decode(bytes.subarray(3, 8)) } catch (error) { out.push(error.name) }
        out.push(fatal.decode(part), decoder.decode(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61)), new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.of(0xef, 0xbb, 0xbf)).length, decoder.decode(Uint8Array.of(0x61, 0, 0x62)).length)
        part.buffer.transfer?.()
        out.push(bytes.length === 0 ? decoder.decode(part) : '')
        Object.defineProperty(Uint8Array.prototype, 'buffer', { get() { throw new Error('asked') } })
        out.push(decoder.decode(Uint8Array.of(0x6f, 0x6b)))
        return out`),
    ).toEqual([
      '\u{1F600}é',
      '<<',
      'é',
      '<<',
      '',
      '\u{1F600}é',
      '\u{1F600}é',
      'TypeError',
      '\u{1F600}é',
      'a',
      1,
      3,
      '',
      'ok',
    ])
  })
})
