// llhttp, as node:http uses it. Connections are streams handed to the server with a 'connection' event, which node's
// documentation allows: no socket is needed, and what is fed has been parsed when `feed` returns.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import type { Message, OtherReader, Reading } from './message.ts'

/** Larger than any head here: llhttp's limits are not compared. */
const HEAD_BYTES_MAX = 65_536

interface Received {
  readonly request: IncomingMessage
  readonly keepAlive: boolean
  body: string
}

class NodeReader implements OtherReader {
  readonly #stream: Duplex
  readonly #received: Received[] = []
  refusal: string | undefined
  /** Since a CONNECT: what follows is no HTTP to it. */
  isTunnel = false

  constructor(stream: Duplex) {
    this.#stream = stream
  }

  feed(bytes: Buffer): void {
    if (!this.#stream.destroyed) this.#stream.push(bytes)
  }

  /** Answers are not given: an answered connection might be closed before all was read. */
  onRequest(request: IncomingMessage, keepAlive: boolean): void {
    const received = { request, keepAlive, body: '' }
    this.#received.push(received)
    request.on('data', (bytes: Buffer) => {
      received.body += bytes.toString('latin1')
    })
  }

  get completed(): number {
    return this.#received.filter(({ request }) => request.complete).length
  }

  reading(): Reading {
    return { messages: this.#received.map(messageOf), refusal: this.refusal }
  }

  close(): void {
    this.#stream.destroy()
  }
}

function messageOf({ request, keepAlive, body }: Received): Message {
  const { method, url, httpVersionMinor, rawHeaders, complete } = request
  const fields: [string, string][] = []
  for (let i = 0; i < rawHeaders.length; i += 2) fields.push([rawHeaders[i]!, rawHeaders[i + 1]!])
  return {
    method: method!,
    target: url!,
    minor: httpVersionMinor,
    fields,
    keepAlive,
    body,
    isComplete: complete,
  }
}

/** Makes connections to a server of node's that listens nowhere, strict and with every limit out of the way. */
export function nodeHttp(): () => OtherReader {
  const readers = new WeakMap<Duplex, NodeReader>()
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    readers.get(request.socket)?.onRequest(request, response.shouldKeepAlive)
  // Missing Host is node's own check, not llhttp's: ours is in the table of differences.
  const server = createServer({ requireHostHeader: false, maxHeaderSize: HEAD_BYTES_MAX }, onRequest)
  server.maxHeadersCount = 0
  server.on('checkContinue', onRequest)
  server.on('checkExpectation', onRequest)
  server.on('connect', (request, stream) => {
    const reader = readers.get(stream)
    if (reader === undefined) return
    reader.isTunnel = true
    reader.onRequest(request, false)
  })
  server.on('clientError', (error: NodeJS.ErrnoException, stream) => {
    const reader = readers.get(stream)
    if (reader !== undefined) reader.refusal = error.code
    stream.destroy()
  })
  return () => {
    const stream = new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() })
    const reader = new NodeReader(stream)
    readers.set(stream, reader)
    server.emit('connection', stream)
    return reader
  }
}
