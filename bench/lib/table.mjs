/** Rows of objects as aligned text; numbers right, words left. `columns` gives key and title. */
export function table(rows, columns) {
  const cells = rows.map((row) => columns.map(([key]) => format(row[key])))
  const widths = columns.map(([, title], at) => Math.max(title.length, ...cells.map((row) => row[at].length)))
  const numeric = columns.map(([key]) => rows.every((row) => typeof row[key] !== 'string'))
  const line = (texts) =>
    texts
      .map((text, at) => (numeric[at] ? text.padStart(widths[at]) : text.padEnd(widths[at])))
      .join('  ')
      .trimEnd()
  return [
    line(columns.map(([, title]) => title)),
    line(widths.map((width) => '-'.repeat(width))),
    ...cells.map(line),
  ].join('\n')
}

function format(value) {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'number') return String(value)
  if (Number.isInteger(value)) return grouped(value)
  const size = Math.abs(value)
  if (size >= 1000) return grouped(Math.round(value))
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

function grouped(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',')
}
