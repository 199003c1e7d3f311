import { label } from './charts.mjs'

const START = '<!-- charts:start -->'
const END = '<!-- charts:end -->'

/** Markdown with a picture for each chart, in the reader's theme; who does not see it is told the rows. */
export function pictures(charts) {
  return charts
    .map(({ file, title, unit, rows }) => {
      const said = rows.map(({ peer, value }) => `${peer} ${label(value)}`).join('; ')
      return `<picture>
  <source media="(prefers-color-scheme: dark)" srcset="docs/charts/${file}-dark.svg">
  <img alt="${escaped(`${title}, ${unit}: ${said}`)}" src="docs/charts/${file}-light.svg">
</picture>`
    })
    .join('\n\n')
}

/** The README's text with these pictures in place of those between its two marks. */
export function withPictures(text, markdown) {
  const start = text.indexOf(START)
  const end = text.indexOf(END)
  if (start < 0 || end < start) throw new Error(`README.md has no place for the charts: ${START} and ${END}`)
  return `${text.slice(0, start + START.length)}\n\n${markdown}\n\n${text.slice(end)}`
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text) => text.replace(/[&<>"]/g, (sign) => ENTITIES[sign])
