import { inspect } from './inspect.ts'

/** Rows and columns shown; a table is for reading. */
const ROWS_MAX = 100
const COLUMNS_MAX = 20
const INDEX = '(index)'
const VALUES = 'Values'

type Rows = [index: string, cells: Map<string, string>][]

/** Console, section 1.1.8: `data` as a table, or undefined when it cannot be shown as one. `columns`: which properties to show. */
export function table(data: unknown, columns: unknown): string | undefined {
  if (typeof data !== 'object' || data === null) return undefined
  const rows = rowsOf(data)
  if (rows.length === 0) return undefined
  const wanted = columns === undefined ? undefined : Array.from(columns as Iterable<unknown>, String)
  const names = new Set<string>(wanted)
  for (const [, cells] of rows)
    for (const name of cells.keys()) if (wanted === undefined || name === VALUES) names.add(name)
  // The column of plain values comes last.
  const hasValues = names.delete(VALUES)
  const shown = [...names].slice(0, COLUMNS_MAX)
  const header = [INDEX, ...shown, ...(hasValues ? [VALUES] : [])]
  const body = rows.map(([index, cells]) => [index, ...header.slice(1).map((name) => cells.get(name) ?? '')])
  return draw(header, body)
}

function rowsOf(data: object): Rows {
  const rows: Rows = []
  const add = (index: string, value: unknown): void => {
    if (rows.length < ROWS_MAX) rows.push([index, cellsOf(value)])
  }
  if (data instanceof Map) {
    let next = 0
    for (const [key, value] of data) add(`${next++}`, { Key: key, [VALUES]: value })
  } else if (data instanceof Set) {
    let next = 0
    for (const value of data) add(`${next++}`, value)
  } else for (const key of Object.keys(data)) add(key, dataOf(data, key))
  return rows
}

/** An own property's value, without running a getter. */
function dataOf(object: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value
}

function cellsOf(value: unknown): Map<string, string> {
  const cells = new Map<string, string>()
  if (typeof value !== 'object' || value === null) cells.set(VALUES, inspect(value))
  else for (const key of Object.keys(value).slice(0, COLUMNS_MAX)) cells.set(key, inspect(dataOf(value, key)))
  return cells
}

function draw(header: string[], body: string[][]): string {
  const widths = header.map((name, i) => Math.max(name.length, ...body.map((row) => row[i]!.length)))
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(header), rule, ...body.map(line)].join('\n')
}
