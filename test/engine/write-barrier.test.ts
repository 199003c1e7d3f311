import asc from 'assemblyscript/asc'
import { expect, test } from 'vitest'
import { CARD_SHIFT, CARDS_AT, CARDS_END, CardTable, GAP_CARDS, SLACK_BYTES } from '../../src/engine/cards.ts'
import { ENGINE_VARIANTS, INITIAL_PAGES, readEngine } from '../../src/engine/module.ts'
import { withWriteBarrier } from '../../src/engine/write-barrier.ts'

const CARD_BYTES = 1 << CARD_SHIFT
/** Of the memory under test: behind the table. */
const AT = 8 << 20

/** Each kind of store that WebAssembly has, at the address given and with a constant offset. */
const STORES: Record<string, number> = {
  'store<u8>(at, 7, 3)': 3,
  'store<u16>(at, 7, 6)': 6,
  'store<i32>(at, 7)': 0,
  'store<i32>(at, 7, 4096)': 4096,
  'store<i64>(at, 7, 1000000)': 1_000_000,
  'store<f32>(at, 7, 8)': 8,
  'store<f64>(at, 7, 16)': 16,
  'i64.store8(at, 7, 24)': 24,
  'i64.store16(at, 7, 32)': 32,
  'i64.store32(at, 7, 40)': 40,
}

async function compile(source: string): Promise<Uint8Array> {
  let binary = new Uint8Array(0)
  const args = ['entry.ts', '--outFile', 'out.wasm', '-O0', '--runtime', 'stub', '--importMemory']
  const { error, stderr } = await asc.main([...args, '--enable', 'bulk-memory'], {
    readFile: (name) => (name === 'entry.ts' ? source : null),
    writeFile: (_, content) => {
      if (content instanceof Uint8Array) binary = Uint8Array.from(content)
    },
    listFiles: () => [],
  })
  if (error) throw new Error(stderr.toString())
  return binary
}

type Exported = (...values: number[]) => number

function open(wasm: Uint8Array): { call: Record<string, Exported>; bytes: Uint8Array; dirty(): number[] } {
  const memory = new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum: INITIAL_PAGES })
  const cards = new CardTable(memory)
  const module = new WebAssembly.Module(wasm as Uint8Array<ArrayBuffer>)
  const { exports } = new WebAssembly.Instance(module, { env: { memory, abort() {} } })
  const bytes = new Uint8Array(memory.buffer)
  const dirty = () => {
    const count = cards.take(CARDS_END, bytes.length)
    return [...cards.ranges.subarray(0, count * 2)]
  }
  return { call: exports as Record<string, Exported>, bytes, dirty }
}

const names = Object.keys(STORES)
const source = `
${names.map((text, i) => `export function store${i}(at: usize): void { ${text} }`).join('\n')}
export function copy(to: usize, from: usize, bytes: usize): void { memory.copy(to, from, bytes) }
export function fill(to: usize, bytes: usize): void { memory.fill(to, 9, bytes) }
export function nested(at: usize): i32 { store<i32>(at, inner(at + 5000)); return load<i32>(at) }
function inner(at: usize): i32 { store<i32>(at, 11); return 12 }
`

test('each kind of store marks the card that it begins in, and writes what it wrote', async () => {
  const wasm = await compile(source)
  const plain = open(wasm)
  const marked = open(withWriteBarrier(wasm))
  for (const [i, text] of names.entries()) {
    for (const at of [AT, AT + CARD_BYTES - 1, AT + 3 * CARD_BYTES - 8]) {
      plain.call[`store${i}`]!(at)
      marked.call[`store${i}`]!(at)
      const from = (at + STORES[text]!) & -CARD_BYTES
      expect(marked.dirty(), text).toEqual([from, from + CARD_BYTES + SLACK_BYTES])
    }
  }
  expect(Buffer.compare(plain.bytes.subarray(CARDS_END), marked.bytes.subarray(CARDS_END))).toBe(0)
})

test('a store whose value has stored marks both', async () => {
  const { call, dirty } = open(withWriteBarrier(await compile(source)))
  expect(call['nested']!(AT)).toBe(12)
  const second = (AT + 5000) & -CARD_BYTES
  expect(dirty()).toEqual([AT, AT + CARD_BYTES + SLACK_BYTES, second, second + CARD_BYTES + SLACK_BYTES])
})

test.each([
  [0, 0, []],
  [0, 1, [0, 1]],
  [CARD_BYTES - 1, 1, [0, 1]],
  [CARD_BYTES - 1, 2, [0, 2]],
  [5, 4 * CARD_BYTES, [0, 5]],
])('a copy and a fill from %i on of %i bytes mark what they cover', async (offset, length, cards) => {
  const { call, bytes, dirty } = open(withWriteBarrier(await compile(source)))
  const expected = cards.map((card, i) => AT + card * CARD_BYTES + (i === 1 ? SLACK_BYTES : 0))
  call['fill']!(AT + offset, length)
  expect(dirty()).toEqual(expected)
  expect(bytes.subarray(AT, AT + 8 * CARD_BYTES).filter((byte) => byte === 9).length).toBe(length)
  call['copy']!(AT + offset, AT + (1 << 20), length)
  expect(dirty()).toEqual(expected)
  expect(bytes[AT + offset]).toBe(0)
})

test('the table takes none of what it marks, and is read in pieces', async () => {
  const { call, bytes, dirty } = open(withWriteBarrier(await compile(source)))
  for (let i = 0; i < 600; i++) call['store2']!(AT + i * (GAP_CARDS + 2) * CARD_BYTES)
  expect(dirty().length).toBe(1200)
  expect(dirty()).toEqual([])
  expect(bytes.subarray(CARDS_AT, CARDS_END).some((mark) => mark !== 0)).toBe(false)
})

test.each([0, 1, 2, 3, 4, 5, 6, 7])(
  'marks near one another are one piece, from card %i of a group on',
  async (first) => {
    const { call, dirty } = open(withWriteBarrier(await compile(source)))
    const from = AT + first * CARD_BYTES
    const marked = (...cards: number[]) => {
      for (const card of cards) call['store2']!(from + card * CARD_BYTES)
      return dirty().map((address) => (address & -CARD_BYTES) - from)
    }
    const [near, far] = [GAP_CARDS + 1, 2 * GAP_CARDS + 6]
    expect(marked(0, near)).toEqual([0, (near + 1) * CARD_BYTES])
    expect(marked(0, near, far)).toEqual([
      0,
      (near + 1) * CARD_BYTES,
      far * CARD_BYTES,
      (far + 1) * CARD_BYTES,
    ])
    expect(marked(0, far, far + 1)).toEqual([0, CARD_BYTES, far * CARD_BYTES, (far + 2) * CARD_BYTES])
  },
)

test('an instruction that is not known is refused: it may write', async () => {
  const wasm = Buffer.from(await compile('export function f(a: usize): void { store<u8>(a, 1) }'))
  // i32.store8, alignment 0, offset 0
  const at = wasm.indexOf(Buffer.from([0x3a, 0, 0]))
  expect(at).toBeGreaterThan(0)
  for (const unknown of [0xfe, 0xfd, 0x06, 0x12]) {
    const changed = Buffer.from(wasm)
    changed[at] = unknown
    expect(() => withWriteBarrier(changed), unknown.toString(16)).toThrow('unknown instruction')
  }
})

test.each(ENGINE_VARIANTS)('%s stays a module that can be compiled', async (variant) => {
  const marked = withWriteBarrier(readEngine(variant))
  await expect(WebAssembly.compile(marked as Uint8Array<ArrayBuffer>)).resolves.toBeDefined()
})
