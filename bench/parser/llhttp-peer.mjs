// llhttp in WebAssembly, the builds undici ships, as a parser of requests. The glue is as thin as its interface allows: the head
// lies in its memory already, and the callbacks only note where it found something; no string, no object. Its reset costs a few
// nanoseconds of the hundreds a head takes.
import { COPY_MASK } from './copies.mjs'

const REQUEST = 1
const METHODS = ['DELETE', 'GET', 'HEAD', 'POST', 'PUT']
const INPUT_BYTES = 65_536
const SPANS_MAX = 1024

/** `binary` is the WebAssembly module. */
export function llhttp(binary) {
  /** Two words a span: address and length. The target first, then names and values in turns. */
  const spans = new Int32Array(2 * SPANS_MAX)
  let words = 0
  let completed = 0

  // With all the parameters the module passes, used or not: V8 then calls them without adapting the arguments.
  const env = {
    wasm_on_message_begin: (_parser) => 0,
    wasm_on_url(_parser, at, bytes) {
      spans[words++] = at
      spans[words++] = bytes
      return 0
    },
    wasm_on_status: (_parser, _at, _bytes) => 0,
    wasm_on_header_field(_parser, at, bytes) {
      spans[words++] = at
      spans[words++] = bytes
      return 0
    },
    wasm_on_header_value(_parser, at, bytes) {
      spans[words++] = at
      spans[words++] = bytes
      return 0
    },
    wasm_on_headers_complete(_parser, _status, _upgrade, _keepAlive) {
      completed++
      return 0
    },
    wasm_on_body: (_parser, _at, _bytes) => 0,
    wasm_on_message_complete: (_parser) => 0,
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary), { env })
  const { llhttp_execute: execute, llhttp_reset: reset } = exports
  const parser = exports.llhttp_alloc(REQUEST)
  const input = exports.malloc(INPUT_BYTES)
  // Made after the last allocation: memory that grows leaves its views behind.
  const memory = new Uint8Array(exports.memory.buffer)
  let length = 0
  let stride = 0

  function parse(start) {
    words = 0
    reset(parser)
    const error = execute(parser, input + start, length)
    if (error !== 0) throw new Error(`llhttp refuses the head with ${error}`)
  }

  return {
    load(copies) {
      if (copies.bytes.length > INPUT_BYTES) throw new RangeError('the copies outgrow their place')
      memory.set(copies.bytes, input)
      length = copies.length
      stride = copies.stride
    },
    find(start) {
      completed = 0
      parse(start)
      if (completed !== 1) throw new Error('llhttp has not come to the end of the head')
      const [target, ...texts] = Array.from({ length: words / 2 }, (_, i) => {
        const at = spans[2 * i]
        return Buffer.from(memory.subarray(at, at + spans[2 * i + 1])).toString('latin1')
      })
      const fields = Array.from({ length: texts.length / 2 }, (_, i) => texts.slice(2 * i, 2 * i + 2))
      return { method: METHODS[exports.llhttp_get_method(parser)], target, fields }
    },
    run(count) {
      for (let i = 0; i < count; i++) parse((i & COPY_MASK) * stride)
    },
  }
}
