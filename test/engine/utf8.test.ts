import { expect, test } from 'vitest'
import { ask, describeEngines } from './engines.ts'

/** What the standard gives for each: Node's own coders, on the same bytes. */
const decoded = (bytes: number[], options?: { ignoreBOM?: boolean }) =>
  new TextDecoder('utf-8', options).decode(Uint8Array.from(bytes))

describeEngines('text and its UTF-8', (engine) => {
  const answer = async (body: string) => {
    const image = await engine.handler(`() => { ${body} }`)
    return JSON.parse(ask(await engine.instance(image)).body)
  }

  test.each([
    ['ASCII', [0x61, 0x62]],
    ['all lengths of a character', [...Buffer.from('aé€😀')]],
    ['a NUL inside', [0x61, 0, 0x62]],
    ['a NUL at its end', [0x61, 0]],
    ['a byte order mark', [0xef, 0xbb, 0xbf, 0x61]],
    ['nothing but a byte order mark', [0xef, 0xbb, 0xbf]],
    ['two byte order marks', [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf]],
    ['a character that is cut', [0x61, 0xe2, 0x82]],
    ['a surrogate', [0xed, 0xa0, 0x80, 0x61]],
    ['a character that is too long', [0xc0, 0x80, 0xf8, 0x88]],
  ])('are decoded: %s', async (_, bytes) => {
    const given = await answer(`
      const bytes = Uint8Array.of(${bytes.join()})
      const larger = new Uint8Array(bytes.length + 7).fill(0x7a)
      larger.set(bytes, 3)
      const part = larger.subarray(3, 3 + bytes.length)
      const texts = [bytes, part, bytes.buffer].map((input) => new TextDecoder().decode(input))
      return Response.json([...texts, new TextDecoder('utf-8', { ignoreBOM: true }).decode(part)])`)
    const text = decoded(bytes)
    expect(given).toEqual([text, text, text, decoded(bytes, { ignoreBOM: true })])
  })

  test('are encoded, what is not well-formed as well', async () => {
    const texts = ['', 'a', 'aé€😀', 'a\0b', '\ud800a', 'y'.repeat(100_000)]
    const given = await answer(`
      const texts = ${JSON.stringify(texts)}
      return Response.json(texts.map((text) => [...new TextEncoder().encode(text)]))`)
    expect(given).toEqual(texts.map((text) => [...new TextEncoder().encode(text)]))
  })
})
