import { TransformStream, TransformStreamDefaultController } from 'web-streams-polyfill'
import { charCodeAt, isView, stringSlice, uncurry } from '../primordials.ts'
import { isArrayBuffer } from './body.ts'
import { TextDecoder, TextEncoder } from './encoding.ts'
import { readableOf, writableOf } from './stream-parts.ts'
import { finishInterface } from './webidl.ts'

type Controller = TransformStreamDefaultController<unknown>
const encode = uncurry(TextEncoder.prototype.encode)
const decode = uncurry(TextDecoder.prototype.decode)
const enqueue = uncurry(
  TransformStreamDefaultController.prototype.enqueue as (this: Controller, chunk: unknown) => void,
)

/** Encoding, section 7.4. A high surrogate at the end of a chunk waits for the next one. */
export class TextEncoderStream {
  #transform: TransformStream
  #highSurrogate = ''

  constructor() {
    const encoder = new TextEncoder()
    this.#transform = new TransformStream({
      transform: (chunk, controller) => {
        let text = this.#highSurrogate + String(chunk)
        const last = text.length > 0 ? charCodeAt(text, text.length - 1) : 0
        const isOpen = last >= 0xd800 && last <= 0xdbff
        this.#highSurrogate = isOpen ? stringSlice(text, text.length - 1) : ''
        if (isOpen) text = stringSlice(text, 0, text.length - 1)
        if (text !== '') enqueue(controller, encode(encoder, text))
      },
      flush: (controller) => {
        if (this.#highSurrogate !== '') enqueue(controller, encode(encoder, this.#highSurrogate))
      },
    })
  }

  get encoding(): string {
    void this.#transform
    return 'utf-8'
  }

  get readable(): unknown {
    return readableOf(this.#transform)
  }

  get writable(): unknown {
    return writableOf(this.#transform)
  }
}
finishInterface(TextEncoderStream, 'TextEncoderStream')

/** Encoding, section 7.3. */
export class TextDecoderStream {
  #decoder: TextDecoder
  #transform: TransformStream

  constructor(label: unknown = 'utf-8', options?: { fatal?: boolean; ignoreBOM?: boolean }) {
    const decoder = new TextDecoder(label, options)
    this.#decoder = decoder
    this.#transform = new TransformStream({
      transform: (chunk, controller) => {
        if (!isView(chunk) && !isArrayBuffer(chunk)) {
          throw new TypeError('a chunk for a TextDecoderStream must be an ArrayBuffer or a view of one')
        }
        const text = decode(decoder, chunk, { stream: true })
        if (text !== '') enqueue(controller, text)
      },
      flush: (controller) => {
        const text = decode(decoder)
        if (text !== '') enqueue(controller, text)
      },
    })
  }

  get encoding(): string {
    return this.#decoder.encoding
  }

  get fatal(): boolean {
    return this.#decoder.fatal
  }

  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM
  }

  get readable(): unknown {
    return readableOf(this.#transform)
  }

  get writable(): unknown {
    return writableOf(this.#transform)
  }
}
finishInterface(TextDecoderStream, 'TextDecoderStream')
