import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { bars } from './charts.mjs'
import { pictures, withPictures } from './readme.mjs'

const HISTORY = new URL('../history.ndjson', import.meta.url)
const README = new URL('../../README.md', import.meta.url)
const OUT = new URL('../../docs/charts/', import.meta.url)
const THEMES = ['light', 'dark']

/** The charts: which rows of the newest full run of a bench each shows. */
const CHARTS = [
  {
    file: 'hello-json',
    bench: 'peers',
    case: 'hello-json c32',
    title: 'Hello JSON, 32 connections',
    unit: 'requests/s',
    key: 'median',
  },
  {
    file: 'hello-json-p99',
    bench: 'peers',
    case: 'hello-json c32',
    title: 'Hello JSON, 32 connections: 99th percentile',
    unit: 'ms',
    key: 'p99Ms',
    isLowerBetter: true,
    isLog: true,
  },
  {
    file: 'post-1kb',
    bench: 'peers',
    case: 'post-1kb c32',
    title: '1 KB JSON POST, 32 connections',
    unit: 'requests/s',
    key: 'median',
  },
  {
    file: 'compute',
    bench: 'peers',
    case: 'compute c32',
    title: 'A sieve of 10,000 numbers, 32 connections',
    unit: 'requests/s',
    key: 'median',
  },
  {
    file: 'coldstart',
    bench: 'coldstart',
    case: /^a function of/,
    title: 'A function of 90 KB to its first answer',
    unit: 'ms',
    key: 'median',
    isLowerBetter: true,
    isLog: true,
  },
  {
    file: 'density',
    bench: 'density',
    case: /./,
    title: 'Small functions in a GB',
    unit: 'functions',
    key: 'median',
    isLog: true,
  },
]

/** Makes the charts of docs/charts again from bench/history.ndjson, and shows them in the README. */
export async function report(say) {
  const history = (await readFile(HISTORY, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  await mkdir(OUT, { recursive: true })
  const drawn = []
  for (const chart of CHARTS) {
    const rows = newest(history, chart)
    if (rows.length === 0) {
      say(`${chart.file}: no full run of ${chart.bench} in the history, left out`)
      continue
    }
    const values = rows.map((row) => ({
      peer: row.peer,
      value: row[chart.key],
      ...(chart.key === 'median' && row.min !== undefined && { low: row.min, high: row.max }),
    }))
    for (const theme of THEMES) {
      const svg = await bars({ ...chart, rows: values, theme })
      await writeFile(new URL(`${chart.file}-${theme}.svg`, OUT), `${svg}\n`)
    }
    drawn.push({ ...chart, rows: values })
    say(`${chart.file}: ${rows.length} rows of ${rows[0].time}`)
  }
  if (drawn.length === 0) return
  await writeFile(README, withPictures(await readFile(README, 'utf8'), pictures(drawn)))
}

const major = (version) => version.split('.', 1)[0]

/** The rows of the newest run that is whole and has that case, on this version of Node.js. */
function newest(history, { bench, case: wanted }) {
  const fits = (name) => (typeof wanted === 'string' ? name === wanted : wanted.test(name))
  const isOurs = (row) =>
    row.bench === bench && row.quick !== true && major(row.node) === major(process.version)
  const rows = history.filter((row) => isOurs(row) && fits(row.case))
  const time = rows.at(-1)?.time
  return rows.filter((row) => row.time === time)
}
