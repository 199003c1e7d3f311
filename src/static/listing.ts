// The page that lists a folder. It has no script: its columns are links that ask for another order.

export interface ListedEntry {
  readonly name: string
  readonly isFolder: boolean
  readonly bytes: number
  readonly modifiedMs: number
}

const COLUMNS = ['name', 'size', 'modified'] as const
type Column = (typeof COLUMNS)[number]

/** In one page; the folder's further entries are only said to be there. */
export const LISTED_MAX = 1000

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const escapeHtml = (text: string) => text.replace(/[&<>"']/g, (c) => ESCAPES[c]!)

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif }
body { max-width: 56rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.2rem; font-weight: 600; overflow-wrap: anywhere }
table { width: 100%; border-collapse: collapse }
th { text-align: left; font-weight: 600 }
th:first-child { width: 60% }
th a { color: inherit }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #8884 }
td:first-child { overflow-wrap: anywhere }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
tbody tr:hover { background: #8881 }
a { text-decoration: none } a:hover { text-decoration: underline }
p { opacity: .7 }
`

/**
 * HTML of a folder. `path`: as it stands in the request, percent-encoded; `query`: with its `?`, or empty; unknown orders are the
 * usual one: folders first, by name.
 */
export function listingPage(
  path: string,
  query: string,
  entries: readonly ListedEntry[],
  isCut: boolean,
): string {
  const asked = new URLSearchParams(query)
  const column = COLUMNS.find((name) => name === asked.get('sort')) ?? 'name'
  const isDown = asked.get('order') === 'desc'
  const title = `Index of ${escapeHtml(shown(path))}`
  const parent = path === '/' ? '' : row('../', '..', '', '')
  const rows = sorted(entries, column, isDown).map(({ name, isFolder, bytes, modifiedMs }) =>
    // "./" so that a name with a colon in it is no scheme.
    row(
      `./${encodeURIComponent(name)}${isFolder ? '/' : ''}`,
      `${name}${isFolder ? '/' : ''}`,
      isFolder ? '' : size(bytes),
      new Date(modifiedMs).toISOString().slice(0, 16).replace('T', ' '),
    ),
  )
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${STYLE}</style>
<h1>${title}</h1>
<table>
<thead><tr>${COLUMNS.map((name) => heading(name, name === column, isDown)).join('')}</tr></thead>
<tbody>
${parent}${rows.join('')}</tbody>
</table>
${isCut ? `<p>There are more; these are ${entries.length}.</p>\n` : ''}</html>
`
}

function row(href: string, name: string, bytes: string, modified: string): string {
  const cells = `<td class="number">${bytes}</td><td class="number">${modified}</td>`
  return `<tr><td><a href="${escapeHtml(href)}">${escapeHtml(name)}</a></td>${cells}</tr>\n`
}

function heading(name: Column, isSorted: boolean, isDown: boolean): string {
  const order = isSorted && !isDown ? 'desc' : 'asc'
  const direction = isSorted ? ` aria-sort="${isDown ? 'descending' : 'ascending'}"` : ''
  const mark = isSorted ? (isDown ? ' ↓' : ' ↑') : ''
  const title = name[0]!.toUpperCase() + name.slice(1) + mark
  const style = name === 'name' ? '' : ' class="number"'
  return `<th${style}${direction}><a href="?sort=${name}&amp;order=${order}">${title}</a></th>`
}

function sorted(entries: readonly ListedEntry[], column: Column, isDown: boolean): ListedEntry[] {
  const byName = (a: ListedEntry, b: ListedEntry) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
  const compare = {
    name: byName,
    size: (a: ListedEntry, b: ListedEntry) => a.bytes - b.bytes || byName(a, b),
    modified: (a: ListedEntry, b: ListedEntry) => a.modifiedMs - b.modifiedMs || byName(a, b),
  }[column]
  const sign = isDown ? -1 : 1
  return entries.toSorted((a, b) => Number(b.isFolder) - Number(a.isFolder) || sign * compare(a, b))
}

/** The path as its reader would write it. */
function shown(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB']

function size(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return unit === 0 ? `${bytes}` : `${value.toFixed(1)} ${UNITS[unit]}`
}
