// http-parser-js: plain JavaScript with the interface of Node's own parser. It makes strings of all it finds.
import { HTTPParser } from 'http-parser-js'
import { COPY_MASK } from './copies.mjs'

// Read once, it makes the callback get what Node's servers since 0.12 are given, not an object.
void HTTPParser.kOnExecute

export function httpParserJs() {
  let seen
  let completed = 0
  const parser = new HTTPParser(HTTPParser.REQUEST)
  const { kOnHeadersComplete } = HTTPParser
  // The parser calls its own methods by number, and starts over by its constructor: those set here stay.
  parser[kOnHeadersComplete] = (_major, _minor, fields, method, target) => {
    completed++
    seen.fields = fields
    seen.method = method
    seen.target = target
    return 0
  }
  let input = Buffer.alloc(0)
  let length = 0
  let stride = 0

  function parse(start) {
    const consumed = parser.execute(input, start, length)
    if (consumed !== length) throw new Error(`http-parser-js says ${consumed} of ${length} bytes`)
  }

  return {
    load(copies) {
      input = Buffer.from(copies.bytes)
      length = copies.length
      stride = copies.stride
      seen = { fields: [], method: 0, target: '' }
    },
    find(start) {
      completed = 0
      parse(start)
      if (completed !== 1) throw new Error('http-parser-js has not come to the end of the head')
      const fields = Array.from({ length: seen.fields.length / 2 }, (_, i) =>
        seen.fields.slice(2 * i, 2 * i + 2),
      )
      return { method: HTTPParser.methods[seen.method], target: seen.target, fields }
    },
    run(count) {
      for (let i = 0; i < count; i++) parse((i & COPY_MASK) * stride)
    },
  }
}
