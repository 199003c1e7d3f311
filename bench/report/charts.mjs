import { parse, View } from 'vega'
import { compile } from 'vega-lite'

const THEMES = {
  light: { ink: '#1f2328', faint: '#d0d7de', own: '#0969da', other: '#afb8c1' },
  dark: { ink: '#e6edf3', faint: '#30363d', own: '#58a6ff', other: '#6e7681' },
}
const FONT = 'system-ui, sans-serif'

/**
 * A bar for each row of `{ peer, value, low?, high? }`, longest first unless `isLowerBetter`, with its value written beside it; the
 * rows whose peer starts with `ringlet` stand out.
 * @returns {Promise<string>} SVG
 */
export async function bars({ title, unit, rows, theme, isLowerBetter = false, isLog = false }) {
  const { ink, faint, own, other } = THEMES[theme]
  const hasSpread = rows.every(({ low, high }) => low !== undefined && high !== undefined)
  const scale = isLog ? logScale(rows) : { zero: true, nice: true }
  // Lengths on a logarithmic scale compare by factors: that has to be said where they are read.
  const axis = isLog ? { title: `${unit}, logarithmic`, tickCount: 4 } : { title: unit }
  const sign = isLowerBetter ? 1 : -1
  const sort = [...rows].sort((a, b) => sign * (a.value - b.value)).map(({ peer }) => peer)
  const y = { field: 'peer', type: 'nominal', sort }
  const spec = {
    title: { text: title, color: ink, anchor: 'start', fontSize: 15 },
    width: 460,
    height: { step: 26 },
    background: null,
    data: {
      values: rows.map((row) => ({ ...row, isOwn: row.peer.startsWith('ringlet'), label: label(row.value) })),
    },
    // Names are what tells the rows apart: none is cut.
    encoding: { y: { ...y, axis: { title: null, labelLimit: 0 } } },
    layer: [
      {
        mark: { type: 'bar', cornerRadiusEnd: 2 },
        encoding: {
          x: { field: 'value', type: 'quantitative', scale, axis },
          ...(isLog && { x2: { datum: scale.domain[0] } }),
          color: { condition: { test: 'datum.isOwn', value: own }, value: other },
        },
      },
      ...(hasSpread ? [{ mark: { type: 'rule', color: ink }, encoding: spread(scale, axis) }] : []),
      {
        mark: { type: 'text', align: 'left', dx: 6, color: ink, fontSize: 12, font: FONT },
        encoding: {
          x: { field: hasSpread ? 'high' : 'value', type: 'quantitative', scale },
          text: { field: 'label' },
        },
      },
    ],
    config: {
      font: FONT,
      view: { stroke: null },
      axis: {
        labelColor: ink,
        titleColor: ink,
        gridColor: faint,
        domainColor: faint,
        tickColor: faint,
        labelFontSize: 12,
      },
    },
  }
  return new View(parse(compile(spec).spec), { renderer: 'none' }).toSVG()
}

/** From half of the least, so that its bar is seen too, to the most: a domain left to vega begins a decade below the bars. */
function logScale(rows) {
  const low = Math.min(...rows.map(({ value, low: least = value }) => Math.min(value, least)))
  const high = Math.max(...rows.map(({ value, high: most = value }) => Math.max(value, most)))
  return { type: 'log', domain: [low / 2, high * 1.1], nice: false }
}

function spread(scale, axis) {
  return { x: { field: 'low', type: 'quantitative', scale, axis }, x2: { field: 'high' } }
}

/** A value as it is written beside its bar. */
export function label(value) {
  if (value >= 1000) return Math.round(value).toLocaleString('en-US')
  return value >= 10 ? value.toFixed(0) : value.toPrecision(2)
}
