// Sends entries of the desync corpus, each with a request behind it, and keeps what is answered.

import type { Answer } from './answer-parser.ts'
import type { DesyncEntry } from './desync-entry.ts'
import { barrier } from './expectations.ts'
import { Wire } from './wire.ts'

/** One run of an entry on a connection of its own. */
export type Run = {
  readonly entry: DesyncEntry
  /** The path of the request behind it. */
  readonly probe: string
  /** How many good requests go before, in the same write. */
  readonly before: number
  /** Final answers until the server's end, or the client's after the last that was due. */
  readonly answers: Answer[]
  /** Why reading them failed. */
  failure?: string
}

const GOOD = Buffer.from('GET /good HTTP/1.1\r\nHost: ringlet.test\r\n\r\n')

let probes = 0

/** A path that no other request has. */
export function newPath(): string {
  return `/probe-${++probes}`
}

export function newRun(entry: DesyncEntry, before = 0): Run {
  return { entry, probe: newPath(), before, answers: [] }
}

export function isRefused({ entry }: Run): boolean {
  return entry.expected.outcome === 'refused'
}

/** Whether the server ends the connection of itself. */
export function ends({ entry: { expected } }: Run): boolean {
  return expected.outcome === 'refused' || expected.closes
}

/** How many final answers are due before the connection ends or falls idle. */
export function answersDue(run: Run): number {
  return run.before + (ends(run) ? 1 : 2)
}

/** The entry and a request behind it: what an attacker would want to be answered apart. */
function bytesOf({ entry, probe, before }: Run): Buffer {
  const request = Buffer.from(`GET ${probe} HTTP/1.1\r\nHost: ringlet.test\r\n\r\n`)
  return Buffer.concat([...Array<Buffer>(before).fill(GOOD), entry.bytes, request])
}

async function readAnswers(run: Run, wire: Wire): Promise<void> {
  const { expected } = run.entry
  const method = expected.outcome === 'one message' ? expected.method : 'GET'
  try {
    for (let due = answersDue(run); due > 0; due--) {
      run.answers.push(await wire.readFinal(run.answers.length === run.before ? method : 'GET'))
    }
    // Only then: an answer too many has every chance to come.
    if (!ends(run)) wire.halfClose()
    run.answers.push(...(await wire.readToEnd()))
  } catch (error) {
    run.failure = String(error)
  }
}

/**
 * Sends every run's pieces in step, `batch` connections at a time: one piece of each, then a round trip on `barrierWire`, so
 * that a piece is a read for the server too. With `stopsAtAnswer` a refused message's rest is kept back once it has been answered.
 */
export async function runInStep(
  barrierWire: Wire,
  runs: readonly Run[],
  batch: number,
  pieces: (bytes: Buffer, run: Run) => Buffer[],
  stopsAtAnswer = true,
): Promise<void> {
  for (let from = 0; from < runs.length; from += batch) {
    await runBatch(barrierWire, runs.slice(from, from + batch), pieces, stopsAtAnswer)
  }
}

async function runBatch(
  barrierWire: Wire,
  runs: readonly Run[],
  pieces: (bytes: Buffer, run: Run) => Buffer[],
  stopsAtAnswer: boolean,
): Promise<void> {
  const port = barrierWire.socket.remotePort!
  const wires = await Promise.all(runs.map(() => Wire.connect(port)))
  try {
    const cut = runs.map((run) => pieces(bytesOf(run), run))
    const reading = runs.map((run, at) => readAnswers(run, wires[at]!))
    const steps = Math.max(...cut.map(({ length }) => length))
    for (let step = 0; step < steps; step++) {
      if (step > 0) await barrier(barrierWire)
      await Promise.all(
        runs.map((run, at) => {
          const piece = cut[at]![step]
          const wire = wires[at]!
          // An interim answer, which only others get, says to go on.
          const isOver = stopsAtAnswer && isRefused(run) && wire.receivedBytes > 0
          return piece === undefined || isOver ? undefined : wire.sendMaybe(piece)
        }),
      )
    }
    await Promise.all(reading)
  } finally {
    for (const wire of wires) wire[Symbol.dispose]()
  }
}
