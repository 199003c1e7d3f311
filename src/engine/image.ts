// An image: one initialised runtime, captured from its linear memory. Loading it into any blank or used instance of the same
// engine gives a runtime in exactly the captured state: a function's start is a memcpy (load.ts).
//
// The base image is the guest API alone. A function's image is what differs from it, in units of a few words: most of what a
// small function changes is counters in objects that are there already.
//
// What is in it: the guest API, the function's bundle after its top-level code, the host's hooks (dispatcher, interrupt
// flag, tracker of rejected promises), and the pointers below. What is not: env, secrets, request data, randomness (reseeded at each load), the C
// stack, and dead bytes: with no JavaScript of the guest running the stack is empty, and free blocks are cleared first.

import { C_STACK_BYTES, PAGE_BYTES } from './module.ts'

/** A run's address and length are multiples of this. */
const UNIT_BYTES = 64
const UNIT_WORDS = UNIT_BYTES / 4
/** Where memory is copied at once, a gap is worth a run's end only from here: two short copies cost more than one longer. */
const GAP_BYTES_MIN = 512
/** Cells of the image that the host calls or reads by address. All are JSValue* but for `rt`, `ctx`, `io` and `rejections`. */
export interface ImagePointers {
  readonly rt: number
  readonly ctx: number
  /** Address of the 64 bytes of the answer words (src/guest/protocol). */
  readonly io: number
  readonly invoke: number
  readonly conclude: number
  readonly follow: number
  readonly take: number
  readonly takeHead: number
  readonly fire: number
  readonly push: number
  readonly complete: number
  readonly flow: number
  readonly leave: number
  readonly where: number
  readonly rejected: number
  /** The block of the tracker of rejected promises (tracker.ts); 0 when there is none. */
  readonly rejections: number
  readonly undefined: number
  /** The numbers that `invoke` takes as flags, by their value. */
  readonly flags: readonly number[]
  /** A block of `SCRATCH_BYTES` for arguments. */
  readonly scratch: number
}

/** Plain data over shared memory: cloned to every thread, the bytes exist once. */
export interface Image {
  /** What the runs differ from; null for a base image, which differs from zeros. */
  readonly base: Image | null
  readonly runs: number
  /** For each run its address and its length (two uint32), then, from {@link runsAt}, their bytes one after the other. */
  readonly bytes: SharedArrayBuffer
  /** WebAssembly pages that an instance must have before the load. */
  readonly pages: number
  /** One past the last block in use. */
  readonly endBytes: number
  /** One past the last byte that may differ from zero. */
  readonly extentBytes: number
  /** Where the heap begins; 0 when that is not known, and the image is of all that the memory holds. */
  readonly heapStart: number
  readonly pointers: ImagePointers
}

/** A memory to capture: no JavaScript of the guest is on its stack, its free blocks are cleared. */
export interface Captured {
  readonly memory: Uint8Array
  readonly heapStart: number
  readonly top: number
  /** Nothing at or above it has ever been used. */
  readonly end: number
}

/** The units of [from, to) that are wanted, as runs; gaps shorter than `gapMin` are part of them. */
function collectRuns(
  runs: [number, number][],
  from: number,
  to: number,
  gapMin: number,
  isWanted: (word: number) => boolean,
): void {
  let last: [number, number] | undefined
  for (let at = from; at < to; at += UNIT_BYTES) {
    if (!isWanted(at >> 2)) continue
    if (last !== undefined && at - (last[0] + last[1]) < gapMin) last[1] = at + UNIT_BYTES - last[0]
    else {
      last = [at, UNIT_BYTES]
      runs.push(last)
    }
  }
}

const downToUnit = (bytes: number) => bytes - (bytes % UNIT_BYTES)
const upToUnit = (bytes: number) => downToUnit(bytes + UNIT_BYTES - 1)

/** Where the static data ends and the C stack begins. */
const staticEnd = ({ heapStart }: Pick<Image, 'heapStart'>): number => heapStart - C_STACK_BYTES

/** [from, to) of all that is not the C stack. The stack's last unit may be part of the heap's first: it is empty. */
export function imageExtents(
  image: Pick<Image, 'heapStart' | 'extentBytes'>,
): readonly (readonly [number, number])[] {
  if (image.heapStart === 0) return [[0, image.extentBytes]]
  return [
    [0, upToUnit(staticEnd(image))],
    [downToUnit(image.heapStart), image.extentBytes],
  ]
}

export function captureBase(captured: Captured, pointers: ImagePointers): Image {
  const { memory, heapStart, end } = captured
  memory.fill(0, downToUnit(heapStart), heapStart)
  const words = new Int32Array(memory.buffer)
  const isUsed = (word: number) => isNotZero(words, word)
  const runs: [number, number][] = []
  const extentBytes = upToUnit(end)
  for (const [from, to] of imageExtents({ heapStart, extentBytes }))
    collectRuns(runs, from, to, GAP_BYTES_MIN, isUsed)
  return pack(captured, null, runs, pointers)
}

/** Captures what an instance that the base was loaded into has become. */
export function captureDelta(captured: Captured, base: Image): Image {
  const { memory, heapStart, end } = captured
  memory.fill(0, downToUnit(heapStart), heapStart)
  const words = new Int32Array(memory.buffer)
  const before = new Int32Array(unpack(base).buffer)
  const isChanged = (word: number) => differs(words, before, word)
  const isUsed = (word: number) => isNotZero(words, word)
  const runs: [number, number][] = []
  for (const [from, to] of imageExtents(base)) collectRuns(runs, from, to, UNIT_BYTES, isChanged)
  collectRuns(runs, base.extentBytes, upToUnit(end), GAP_BYTES_MIN, isUsed)
  return pack(captured, base, runs, base.pointers)
}

function isNotZero(words: Int32Array, at: number): boolean {
  let bits = 0
  for (let i = 0; i < UNIT_WORDS; i++) bits |= words[at + i]!
  return bits !== 0
}

function differs(words: Int32Array, before: Int32Array, at: number): boolean {
  let bits = 0
  for (let i = 0; i < UNIT_WORDS; i++) bits |= words[at + i]! ^ before[at + i]!
  return bits !== 0
}

function pack(
  { memory, heapStart, top, end }: Captured,
  base: Image | null,
  runs: readonly (readonly [number, number])[],
  pointers: ImagePointers,
): Image {
  const start = runsAt(runs.length)
  const bytes = new SharedArrayBuffer(runs.reduce((sum, [, length]) => sum + length, start))
  new Uint32Array(bytes, 0, runs.length * 2).set(runs.flat())
  const view = new Uint8Array(bytes)
  let at = start
  for (const [address, length] of runs) {
    view.set(memory.subarray(address, address + length), at)
    at += length
  }
  return {
    base,
    runs: runs.length,
    bytes,
    pages: memory.byteLength / PAGE_BYTES,
    endBytes: top,
    extentBytes: Math.max(upToUnit(end), base?.extentBytes ?? 0),
    heapStart,
    pointers,
  }
}

/** Where the runs' bytes begin in `Image.bytes`: on a unit's border, as in the guest's memory, which makes copies faster. */
export const runsAt = (runs: number): number => upToUnit(runs * 8)

/** Calls back for each run: its address in the guest's memory, its length, and where its bytes are in `image.bytes`. */
export function forEachRun(image: Image, use: (address: number, length: number, at: number) => void): void {
  const table = new Uint32Array(image.bytes, 0, image.runs * 2)
  let at = runsAt(image.runs)
  for (let i = 0; i < table.length; i += 2) {
    use(table[i]!, table[i + 1]!, at)
    at += table[i + 1]!
  }
}

const unpacked = new WeakMap<Image, Uint8Array>()

/** A base image as the memory that it stands for: for the capture of deltas. */
function unpack(base: Image): Uint8Array {
  let memory = unpacked.get(base)
  if (memory === undefined) {
    memory = new Uint8Array(base.extentBytes)
    const target = memory
    forEachRun(base, (address, length, at) => target.set(new Uint8Array(base.bytes, at, length), address))
    unpacked.set(base, memory)
  }
  return memory
}

/**
 * Whether a table of runs can be loaded without a write outside of the image's extents: for images that come from a file. The hash
 * over the file says that it is what was written; this, that what was written makes sense.
 */
export function isSound(image: Image): boolean {
  const { runs, bytes, base, extentBytes, pages, endBytes } = image
  if (!Number.isInteger(runs) || runs < 0 || runsAt(runs) > bytes.byteLength) return false
  if (!(extentBytes <= pages * PAGE_BYTES && endBytes <= extentBytes && extentBytes % UNIT_BYTES === 0))
    return false
  if (base !== null && extentBytes < base.extentBytes) return false
  const extents = imageExtents(image)
  let end = runsAt(runs)
  let before = 0
  let isSoundSoFar = true
  forEachRun(image, (address, length) => {
    const isInside = extents.some(([from, to]) => address >= from && address + length <= to)
    if (!isInside || address < before || length === 0 || (address | length) % UNIT_BYTES !== 0)
      isSoundSoFar = false
    before = address + length
    end += length
  })
  return isSoundSoFar && end === bytes.byteLength
}
