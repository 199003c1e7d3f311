import { connect, type Socket } from 'node:net'
import { type Answer, takeAnswer } from './answer-parser.ts'

/** How the other side ended the connection: an orderly FIN, or a reset. */
export type Ending = 'end' | 'reset'

const DEADLINE_MS = 15_000

/**
 * A client that works on bytes: sends exactly the pieces it is given, and reads answers with the tests' own parser.
 * Half-open connections are kept, so that a test decides itself when its own side ends.
 */
export class Wire {
  readonly socket: Socket
  /** Resolves when the server's side has ended, with how. Never rejects. */
  readonly ending: Promise<Ending>
  #chunks: Buffer[] = []
  #bytes: Buffer = Buffer.alloc(0)
  #ended: Ending | undefined
  #wake: (() => void) | undefined
  #receivedBytes = 0

  private constructor(socket: Socket) {
    this.socket = socket
    this.ending = new Promise((resolve) => {
      const end = (how: Ending) => {
        this.#ended ??= how
        this.#wake?.()
        resolve(how)
      }
      socket.on('end', () => end('end'))
      socket.on('error', () => end('reset'))
      socket.on('close', () => end('reset'))
    })
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk)
      this.#receivedBytes += chunk.length
      this.#wake?.()
    })
  }

  /** Connects to 127.0.0.1 (or `host`); rejects when refused. */
  static connect(port: number, host = '127.0.0.1'): Promise<Wire> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host, noDelay: true, allowHalfOpen: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.removeListener('error', reject)
        resolve(new Wire(socket))
      })
    })
  }

  /** Bytes that have arrived so far, read or not. */
  get receivedBytes(): number {
    return this.#receivedBytes
  }

  /** Sends the pieces one after the other, each handed to the kernel before the next. Text is taken as latin1. */
  async send(...pieces: Array<string | Uint8Array>): Promise<void> {
    for (const piece of pieces) {
      const bytes = typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece
      if (bytes.length === 0) continue
      await new Promise<void>((resolve, reject) => {
        this.socket.write(bytes, (error) => (error ? reject(error) : resolve()))
      })
    }
  }

  /** Like `send`, but a connection the server has closed meanwhile is no failure: for tests of refusals. */
  async sendMaybe(...pieces: Array<string | Uint8Array>): Promise<void> {
    await this.send(...pieces).catch(() => undefined)
  }

  /** Reads the next response message, 1xx ones included; rejects when the connection ends before it is complete. */
  async read(method = 'GET'): Promise<Answer> {
    for (;;) {
      const bytes = this.#buffered()
      const taken = takeAnswer(bytes, method, this.#ended !== undefined)
      if (taken) {
        this.#bytes = bytes.subarray(taken.taken)
        return taken.answer
      }
      if (this.#ended)
        throw new Error(`connection ended (${this.#ended}) inside a response: ${this.#excerpt()}`)
      await this.#more()
    }
  }

  /** Reads on past interim responses to the final one. */
  async readFinal(method = 'GET'): Promise<Answer> {
    for (;;) {
      const answer = await this.read(method)
      if (answer.status >= 200) return answer
    }
  }

  /** Reads final responses until the server ends the connection; rejects on left-over bytes. */
  async readToEnd(method = 'GET'): Promise<Answer[]> {
    const answers: Answer[] = []
    for (;;) {
      if (this.#buffered().length === 0) {
        if (this.#ended) return answers
        await this.#more()
        continue
      }
      const answer = await this.read(method)
      if (answer.status >= 200) answers.push(answer)
    }
  }

  /** Bytes that arrived and were not read as part of an answer. */
  get unread(): Buffer {
    return this.#buffered()
  }

  /** Waits until `count` bytes in all have arrived. */
  async receive(count: number): Promise<void> {
    while (this.#receivedBytes < count) {
      if (this.#ended) throw new Error(`connection ended (${this.#ended}) after ${this.#receivedBytes} bytes`)
      await this.#more()
    }
  }

  /** Waits for the server to end the connection. */
  async waitForEnd(): Promise<Ending> {
    while (!this.#ended) await this.#more()
    return this.#ended
  }

  /** Ends this side only: the server can still answer. */
  halfClose(): void {
    this.socket.end()
  }

  /** Drops the connection with a reset, as a client that crashes does. */
  reset(): void {
    this.socket.resetAndDestroy()
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }

  #buffered(): Buffer {
    if (this.#chunks.length > 0) {
      this.#bytes = Buffer.concat([this.#bytes, ...this.#chunks])
      this.#chunks = []
    }
    return this.#bytes
  }

  #excerpt(): string {
    const bytes = this.#buffered()
    return `${bytes.length} bytes, ${JSON.stringify(bytes.toString('latin1', 0, 200))}`
  }

  /** Waits for bytes or the end; the deadline only turns a hang into a message. */
  #more(): Promise<void> {
    return new Promise((resolve, reject) => {
      const deadline = setTimeout(() => {
        this.#wake = undefined
        reject(new Error(`nothing arrived within ${DEADLINE_MS} ms; unread: ${this.#excerpt()}`))
      }, DEADLINE_MS)
      this.#wake = () => {
        this.#wake = undefined
        clearTimeout(deadline)
        resolve()
      }
    })
  }
}
