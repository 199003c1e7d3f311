import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runProgram } from '../../src/compiled.ts'

const dist = fileURLToPath(new URL('../../dist', import.meta.url))
const SOURCE = `const path = require('node:path')
exports.add = (a, b) => a + b
exports.place = [path.basename(__filename), __dirname]
module.exports.same = module.exports === exports`

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringlet-compiled-'))
  file = join(folder, 'program.cjs')
  writeFileSync(file, SOURCE)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function run(): boolean {
  const { exports, hasCode } = runProgram(file)
  const { add, place, same } = exports as {
    add(a: number, b: number): number
    place: string[]
    same: boolean
  }
  expect([add(1, 2), ...place, same]).toEqual([3, 'program.cjs', folder, true])
  return hasCode
}

const codeFile = () => join(folder, readdirSync(folder).find((name) => name.endsWith('.code'))!)

test('a program runs without its bytecode, and with it once that is recorded', () => {
  const { exports, hasCode, record } = runProgram(file)
  expect(hasCode).toBe(false)
  ;(exports as { add(a: number, b: number): number }).add(1, 2)
  record()
  expect(codeFile()).toContain(process.version)
  expect(run()).toBe(true)
})

test('bytecode that is damaged, cut short or of another program is not used', () => {
  runProgram(file).record()
  const whole = readFileSync(codeFile())
  for (let at = 0; at < whole.length; at += 7) {
    const damaged = Buffer.from(whole)
    damaged[at]! ^= 0x10
    writeFileSync(codeFile(), damaged)
    expect(run()).toBe(false)
  }
  for (const bytes of [0, 31, 32, whole.length - 1]) {
    writeFileSync(codeFile(), whole.subarray(0, bytes))
    expect(run()).toBe(false)
  }
  writeFileSync(codeFile(), whole)
  expect(run()).toBe(true)
  // As long as the other: V8 itself compares no more than that.
  writeFileSync(file, SOURCE.replace('a + b', 'b + a'))
  expect(run()).toBe(false)
})

test('the package has the bytecode of its programs, for the Node.js that built it', () => {
  for (const name of ['actor', 'command']) {
    const code = readdirSync(dist).filter((each) => each.startsWith(`${name}.cjs.`) && each.endsWith('.code'))
    expect(code.map((each) => each.includes(process.version))).toEqual([true])
    expect(readFileSync(join(dist, `${name}.cjs`), 'latin1')).not.toMatch(/\bimport\(/)
  }
  // The actor's does nothing by itself.
  expect(runProgram(join(dist, 'actor.cjs')).hasCode).toBe(true)
})
