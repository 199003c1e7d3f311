// An answer's content piece by piece, for who cannot be given all of it at once: from memory, or from the file, of which
// nothing is read before it is asked for. Whatever is given is of the one file, in the one state, that the answer speaks of.

import { type FileHandle, open } from 'node:fs/promises'
import { type FileIdentity, type FileSegment, isSameFile } from '../file-record.ts'
import type { BytesAnswer, FileAnswer } from './answer.ts'
import { OPEN_FLAGS } from './file-system.ts'

/** Longest piece. */
export const PIECE_BYTES = 128 << 10

/** The file is not the one any more that the answer is about. */
export class FileChanged extends Error {}

export class ContentPieces {
  readonly #segments: readonly FileSegment[]
  /** Undefined where all is in memory. */
  readonly #file: FileHandle | undefined
  readonly #identity: FileIdentity | undefined
  #index = 0
  /** Bytes of the present segment that have been given. */
  #given = 0
  #isReading = false
  #isClosed = false

  private constructor(segments: readonly FileSegment[], file?: FileHandle, identity?: FileIdentity) {
    this.#segments = segments
    this.#file = file
    this.#identity = identity
  }

  /** Rejects with {@link FileChanged}, or what the system says, when the file cannot be had. */
  static async open(answer: BytesAnswer | FileAnswer): Promise<ContentPieces> {
    if (answer.kind === 'bytes') return new ContentPieces([answer.bytes.subarray(answer.start, answer.end)])
    const { path, identity, segments } = answer
    const pieces = new ContentPieces(segments, await open(path, OPEN_FLAGS), identity)
    try {
      await pieces.#refuseChanged()
      return pieces
    } catch (error) {
      pieces.close()
      throw error
    }
  }

  /** The next piece, undefined at the end. One at a time, and none when it was closed. */
  async read(): Promise<Uint8Array | undefined> {
    if (this.#isReading || this.#isClosed) throw new Error('a piece is being read, or none is wanted')
    this.#isReading = true
    try {
      return await this.#next()
    } finally {
      this.#isReading = false
      if (this.#isClosed) this.#closeFile()
    }
  }

  /** Nobody wants the rest. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    // Not under a read: its descriptor might be another file's by then.
    if (!this.#isReading) this.#closeFile()
  }

  async #next(): Promise<Uint8Array | undefined> {
    let segment = this.#segments[this.#index]
    while (segment !== undefined && this.#given === segment.length) {
      segment = this.#segments[++this.#index]
      this.#given = 0
    }
    if (segment === undefined) return undefined
    const length = Math.min(PIECE_BYTES, segment.length - this.#given)
    const piece =
      segment instanceof Uint8Array
        ? segment.subarray(this.#given, this.#given + length)
        : await this.#readFile(segment.offset + this.#given, length)
    this.#given += piece.length
    return piece
  }

  async #readFile(position: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length)
    const { bytesRead } = await this.#file!.read(bytes, 0, length, position)
    // A change during the read is one after the last look and before this one.
    await this.#refuseChanged()
    if (bytesRead === 0) throw new FileChanged('the file has become shorter')
    return bytes.subarray(0, bytesRead)
  }

  async #refuseChanged(): Promise<void> {
    const stats = await this.#file!.stat({ bigint: true })
    if (!isSameFile(this.#identity!, stats)) throw new FileChanged('the file has changed')
  }

  #closeFile(): void {
    this.#file?.close().catch(() => {})
  }
}
