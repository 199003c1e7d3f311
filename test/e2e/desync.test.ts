import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Answer, field, json } from '../support/answer-parser.ts'
import { DESYNC } from '../support/desync-corpus.ts'
import type { DesyncEntry, Expectation } from '../support/desync-entry.ts'
import { answersDue, ends, isRefused, newPath, newRun, type Run, runInStep } from '../support/desync-run.ts'
import { digestOf, ECHO_HANDLER, type Echo } from '../support/echo.ts'
import { expectRefusal } from '../support/expectations.ts'
import { type LogLine, type RunningServer, startServer } from '../support/server.ts'
import { Wire } from '../support/wire.ts'

/** Small, so that the corpus can pass them. */
const LIMITS = { fields: 20, chunkOverheadBytes: 1024, trailerBytes: 128, cpuMs: 5_000 }
/** Runtimes of the function: where bodies stream, each one under way has one, and what goes between them needs one too. */
const RUNTIMES = 16
const STREAMS = RUNTIMES - 1
/** Entries of the sample that is cut at every byte are not longer than this. */
const CUT_BYTES_MAX = 260

/** What reads the corpus, how many connections at a time: either parser, and once with no body awaited before its handler runs. */
const READERS = [
  { title: 'the simd parser', parser: 'simd', inlineBodyBytes: 65_536, batch: 400 },
  { title: 'the scalar parser', parser: 'scalar', inlineBodyBytes: 65_536, batch: 400 },
  { title: 'bodies that stream', parser: 'auto', inlineBodyBytes: 0, batch: STREAMS },
]

const REFUSED = DESYNC.filter(({ expected }) => expected.outcome === 'refused')
/** Of each family one entry for either outcome. */
const SAMPLE = firstOfEach(({ family, expected }) => `${family} ${expected.outcome}`)

function firstOfEach(key: (entry: DesyncEntry) => string): DesyncEntry[] {
  const found = new Map<string, DesyncEntry>()
  for (const entry of DESYNC) {
    if (entry.bytes.length <= CUT_BYTES_MAX && !found.has(key(entry))) found.set(key(entry), entry)
  }
  return [...found.values()]
}

const whole = (bytes: Buffer) => [bytes]
const single = (bytes: Buffer) => Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))

function describeRun({ entry, probe }: Run): string {
  return `${entry.family}, ${entry.name}, ${probe}`
}

function check(run: Run): void {
  const { entry, probe, before, answers } = run
  const what = describeRun(run)
  expect(run.failure, what).toBeUndefined()
  expect(answers, what).toHaveLength(answersDue(run))
  for (const answer of answers.slice(0, before)) {
    expect(json<Echo>(answer).url).toBe('http://ringlet.test/good')
  }
  checkAnswer(entry.expected, answers[before]!, what)
  if (ends(run)) return
  const url = `http://ringlet.test${probe}`
  expect(json<Echo>(answers[before + 1]!), what).toMatchObject({ method: 'GET', url, bodyBytes: 0 })
}

function checkAnswer(expected: Expectation, answer: Answer, what: string): void {
  if (expected.outcome === 'refused') {
    expectRefusal(answer, [expected.status], what)
    expect(json<{ error: string }>(answer).error, what).toBe(expected.error)
    return
  }
  expect(answer.status, what).toBe(200)
  expect(field(answer, 'connection') === 'close', what).toBe(expected.closes)
  if (expected.method === 'HEAD') return
  const { method, url, headers } = expected
  const body = Buffer.from(expected.body, 'latin1')
  const echo = json<Echo>(answer)
  expect(echo, what).toMatchObject({ method, url, headers, bodyBytes: body.length, digest: digestOf(body) })
  for (const name of expected.absent) expect(echo.headers, what).not.toHaveProperty(name)
}

/** No handler answered a refused message or what came behind it, nor a message hidden in another. */
function checkHandled(runs: readonly Run[], lines: readonly LogLine[]): void {
  const paths = new Set(lines.map(({ path }) => path))
  const answered = runs.filter((run) => !ends(run)).map(({ probe }) => probe)
  const unanswered = runs.filter(ends).map(({ probe }) => probe)
  expect(answered.filter((probe) => !paths.has(probe))).toEqual([])
  expect(unanswered.filter((probe) => paths.has(probe))).toEqual([])
  expect(paths).not.toContain('/smuggled')
  const due = runs.reduce((sum, run) => sum + answersDue(run) - (isRefused(run) ? 1 : 0), 0)
  expect(lines).toHaveLength(due)
}

describe('the corpus', () => {
  test('has at least 120 entries, each with a name of its own, a reason, and both outcomes in it', () => {
    expect(DESYNC.length).toBeGreaterThanOrEqual(120)
    expect(new Set(DESYNC.map(({ family, name }) => `${family}: ${name}`)).size).toBe(DESYNC.length)
    for (const { why, name } of DESYNC) expect(why.length, name).toBeGreaterThan(4)
    expect(REFUSED.length).toBeGreaterThan(100)
    expect(DESYNC.length - REFUSED.length).toBeGreaterThan(50)
  })
})

describe.each(READERS)('with $title', ({ parser, inlineBodyBytes, batch }) => {
  let server: RunningServer
  let barrierWire: Wire

  beforeAll(async () => {
    server = await startServer({
      args: ['handler.ts'],
      handlerFiles: { 'handler.ts': ECHO_HANDLER },
      config: {
        connection: { parser },
        limits: { ...LIMITS, inlineBodyBytes },
        log: { access: 'on' },
        pool: { maxPerFunction: RUNTIMES },
      },
    })
    barrierWire = await Wire.connect(server.port)
  })

  afterAll(async () => {
    barrierWire?.[Symbol.dispose]()
    await server?.[Symbol.asyncDispose]()
  })

  /** Access lines of handlers' answers since the `from`th line of the log, those of barriers left out. */
  async function handledSince(from: number): Promise<LogLine[]> {
    const marker = newPath()
    await fetch(server.url + marker)
    await server.waitForLog((entry) => entry['path'] === marker)
    return server
      .logs()
      .slice(from)
      .filter(({ path, function: name }) => name && path !== '/barrier' && path !== marker)
  }

  function describeRuns(title: string, runs: Run[], pieces: (bytes: Buffer) => Buffer[]): void {
    describe(title, () => {
      let lines: LogLine[]
      beforeAll(async () => {
        const from = server.logs().length
        await runInStep(barrierWire, runs, batch, pieces)
        lines = await handledSince(from)
      })
      test.each(runs)('$entry.family: $entry.name', (run) => check(run))
      test('handlers answered what was to be answered, and nothing else', () => checkHandled(runs, lines))
    })
  }

  test('is the parser that serves', async () => {
    const { parser: kind } = await server.waitForLog((entry) => entry['msg'] === 'listening')
    expect(parser === 'auto' ? ['simd', 'scalar'] : [parser]).toContain(kind)
  })

  const everyEntry = () => DESYNC.map((entry) => newRun(entry))
  describeRuns('in one piece', everyEntry(), whole)
  describeRuns(
    'behind a good request',
    REFUSED.map((entry) => newRun(entry, 1)),
    whole,
  )
  describeRuns('byte by byte', everyEntry(), single)

  test.each(batch === STREAMS ? [] : SAMPLE)('cut in two at every byte: $family: $name', async (entry) => {
    const runs = Array.from(entry.bytes, () => newRun(entry))
    const cutAt = (bytes: Buffer, at: number) => [bytes.subarray(0, at), bytes.subarray(at)]
    await runInStep(barrierWire, runs, batch, (bytes, run) => cutAt(bytes, runs.indexOf(run) + 1))
    for (const run of runs) check(run)
  })
})

/** It never looks at a body: its answer is complete before that has come. */
const HASTY_HANDLER = 'export default (request) => new Response(new URL(request.url).pathname)'

describe('with a handler that answers before the body has come', () => {
  const chunked = DESYNC.filter(({ family }) => /^(chunk|trailers)/.test(family))
  const runs = chunked.map((entry) => newRun(entry))

  beforeAll(async () => {
    await using server = await startServer({
      args: ['handler.js'],
      handlerFiles: { 'handler.js': HASTY_HANDLER },
      // Its handler runs when the body has two bytes: some errors come before that.
      config: { limits: { ...LIMITS, inlineBodyBytes: 1 }, pool: { maxPerFunction: RUNTIMES } },
    })
    using barrierWire = await Wire.connect(server.port)
    // All of it is sent, answered or not: what is wrong with a body may come behind the answer.
    await runInStep(barrierWire, runs, STREAMS, single, false)
  })

  test.each(runs)('$entry.family: $entry.name: one answer at most for the message', (run) => {
    const what = describeRun(run)
    expect(run.failure, what).toBeUndefined()
    const [answer, ...others] = run.answers
    if (answer!.status === 200) expect(answer!.body.toString(), what).toBe('/a')
    else checkAnswer(run.entry.expected, answer!, what)
    expect(others.map(({ body }) => body.toString())).toEqual(isRefused(run) ? [] : [run.probe])
  })

  test('some were answered before the error, and some were refused', () => {
    const statuses = runs.filter(isRefused).map(({ answers }) => answers[0]!.status)
    expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(10)
    expect(statuses.filter((status) => status >= 400).length).toBeGreaterThan(10)
  })
})
