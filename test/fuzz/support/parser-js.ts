// http-parser-js, the parser that node once had, in JavaScript.

import { HTTPParser } from 'http-parser-js'
import type { Message, OtherReader, Reading } from './message.ts'

// Its 'ascii' would drop the highest bit of obs-text before anybody could compare it.
HTTPParser.encoding = 'latin1'

/** A negative length makes it go back and read the same bytes again, without end. */
const BACKWARDS = 'reads backwards'
/** More than an input can have. */
const MESSAGES_MAX = 400

export class ParserJs implements OtherReader {
  readonly #parser = new HTTPParser(HTTPParser.REQUEST)
  readonly #messages: { -readonly [K in keyof Message]: Message[K] }[] = []
  #refusal: string | undefined
  #isTunnel = false
  completed = 0

  constructor() {
    const parser = this.#parser
    parser.onHeadersComplete = (info) => {
      if (this.#messages.length === MESSAGES_MAX) throw new Error(BACKWARDS)
      const { url, versionMinor, headers, shouldKeepAlive } = info
      // A name, since the callbacks are set by name, whatever the types say.
      const method = String(info.method)
      const fields = Array.from({ length: headers.length / 2 }, (_, i): [string, string] => [
        headers[2 * i]!,
        headers[2 * i + 1]!,
      ])
      this.#messages.push({
        method,
        target: url,
        minor: versionMinor,
        fields,
        keepAlive: shouldKeepAlive && method !== 'CONNECT',
        body: '',
        isComplete: false,
      })
      this.#isTunnel = method === 'CONNECT'
    }
    parser.onBody = (bytes, offset, length) => {
      if (length < 0) throw new Error(BACKWARDS)
      this.#messages.at(-1)!.body += bytes.toString('latin1', offset, offset + length)
    }
    parser.onMessageComplete = () => {
      this.#messages.at(-1)!.isComplete = true
      this.completed++
    }
  }

  feed(bytes: Buffer): void {
    let at = 0
    // It stops behind a head that offers an upgrade; a server that takes none, as ours, goes on there.
    while (at < bytes.length && this.#refusal === undefined && !this.#isTunnel) {
      const result = this.#execute(bytes.subarray(at))
      if (typeof result === 'number') at += result
      else this.#refusal = (result as NodeJS.ErrnoException).code ?? result.message
    }
  }

  #execute(bytes: Buffer): number | Error {
    try {
      const result = this.#parser.execute(bytes)
      return typeof result === 'number' && result <= 0 ? new Error(BACKWARDS) : (result as number | Error)
    } catch (error) {
      return error as Error
    }
  }

  reading(): Reading {
    return { messages: this.#messages, refusal: this.#refusal }
  }

  close(): void {}
}
