// Ringlet's two parsers, each in place in shared memory, as a shard has it.
import { readFileSync } from 'node:fs'
import {
  Framing,
  PARSER_NUMBERS,
  readFraming,
  ScalarParser,
  SimdParser,
  simdScratchBytes,
} from '../../dist/parser.js'
import { createSharedMemory } from '../../src/shared/ringbuffer/dist/index.js'
import { COPY_MASK } from './copies.mjs'

const LIMITS = { headBytes: 16_384, targetBytes: 8192, fields: 256, leadingEmptyLines: 1 }
const INPUT_BYTES = 65_536
const { head: HEAD } = PARSER_NUMBERS

const memory = createSharedMemory(INPUT_BYTES + simdScratchBytes(LIMITS))

export const scalar = () => own(new ScalarParser(LIMITS))

export function simd() {
  const module = new WebAssembly.Module(readFileSync(new URL('../../dist/head.wasm', import.meta.url)))
  return own(new SimdParser(module, { memory, offset: INPUT_BYTES }, LIMITS))
}

function own(parser) {
  const bytes = new Uint8Array(memory.buffer)
  const framing = new Framing()
  let length = 0
  let stride = 0

  function parse(start) {
    const consumed = parser.parse(bytes, start, start + length, 0)
    if (consumed !== length) throw new Error(`the ${parser.kind} parser says ${consumed} of ${length} bytes`)
  }

  function frame() {
    const error = readFraming(bytes, parser.table, framing)
    if (error !== 0) throw new Error(`the framing is refused with ${error}`)
  }

  return {
    load(copies) {
      if (copies.bytes.length > INPUT_BYTES) throw new RangeError('the copies outgrow their place')
      bytes.set(copies.bytes)
      length = copies.length
      stride = copies.stride
    },
    find(start) {
      parse(start)
      frame()
      const { words } = parser.table
      const text = (from, to) => Buffer.from(bytes.slice(from, to)).toString('latin1')
      const fields = Array.from({ length: parser.table.fieldCount }, (_, i) => [
        text(parser.table.nameStart(i), parser.table.nameEnd(i)),
        text(parser.table.valueStart(i), parser.table.valueEnd(i)),
      ])
      if (!framing.keepAlive || framing.contentLength !== -1 || framing.chunked)
        throw new Error('the framing read is not that of a GET without a body')
      return {
        method: text(words[HEAD.methodStart], words[HEAD.methodEnd]),
        target: text(words[HEAD.targetStart], words[HEAD.targetEnd]),
        fields,
      }
    },
    run(count) {
      for (let i = 0; i < count; i++) parse((i & COPY_MASK) * stride)
    },
    runFraming(count) {
      for (let i = 0; i < count; i++) {
        parse((i & COPY_MASK) * stride)
        frame()
      }
    },
  }
}
