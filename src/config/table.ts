/** The reference of all keys, as rows and as the Markdown of docs/config.md. */
import { allKeys, environmentName, type Key, settableKeys } from './keys.ts'
import { GIB, type KeyInfo, KIB, MIB } from './leaf.ts'

interface TableRow {
  readonly key: string
  readonly type: string
  /** Empty: none, the key may be left out. */
  readonly default: string
  readonly bounds: string
  /** Empty: only a file can set it. */
  readonly env: string
  /** Empty: none. */
  readonly flag: string
  readonly meaning: string
}

export function configTable(): readonly TableRow[] {
  const settable = new Set(settableKeys())
  return allKeys().map((key) => ({
    key: key.path,
    type: TYPES[key.info.kind],
    default: defaultText(key),
    bounds: bounds(key),
    env: settable.has(key) ? environmentName(key.path) : '',
    flag: key.info.flag ?? '',
    meaning: key.info.meaning,
  }))
}

const TYPES: Readonly<Record<KeyInfo['kind'], string>> = {
  integer: 'whole number',
  number: 'number',
  choice: 'choice',
  string: 'text',
  list: 'list',
  map: 'object',
}

function defaultText({ path, info, default: value }: Key): string {
  if (info.defaultText !== undefined) return info.defaultText
  if (value === undefined) return ''
  return typeof value === 'number'
    ? amount(value, path)
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value)
}

function bounds({ path, info }: Key): string {
  if (info.choices) return info.choices.join(', ')
  const { min, max } = info
  if (info.kind !== 'integer' && info.kind !== 'number') return info.rule
  const step = /^(a power of two|a multiple of \d+) /.exec(info.rule)?.[1]
  return `${amount(min!, path)} to ${amount(max!, path)}${step ? `, ${step}` : ''}`
}

/** Bytes in the largest unit that divides them; everything else plain. */
function amount(value: number, path: string): string {
  if (!path.endsWith('Bytes')) return String(value)
  for (const [size, unit] of [
    [GIB, 'GiB'],
    [MIB, 'MiB'],
    [KIB, 'KiB'],
  ] as const) {
    if (value >= size && value % size === 0) return `${value / size} ${unit}`
  }
  return String(value)
}

const HEADER = `# Configuration

Written by \`scripts/config-table.mjs\` from the schema; do not edit.

Sources, each outranking the one before: defaults, the configuration file, the environment, flags. The file is
the one named by \`--config\` or \`RINGLET_CONFIG\`, else \`ringlet.config.json\`, \`ringlet.json\` or \`ringlet.toml\` in
the working folder (more than one of them is an error). \`[handler]\` or \`-e\` on the command line serves one
function at every path; they exclude each other, and \`functions\` of a file. Sizes are given in bytes
(\`1048576\`; the table writes 1 MiB), times in the unit the key's name ends in. Anything unknown, of a wrong
type or out of bounds is a line on standard error, all of them at once (up to ten), and exit code 2, before anything listens.
`

/** The whole text of docs/config.md. */
export function configMarkdown(): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  const code = (text: string) => text && `\`${text}\``
  const rows = configTable().map((row) =>
    line([code(row.key), row.type, row.default, row.bounds, code(row.env), code(row.flag), row.meaning]),
  )
  const head = [
    line(['key', 'type', 'default', 'allowed', 'variable', 'flag', 'meaning']),
    line(Array(7).fill('---')),
  ]
  return `${HEADER}\n${[...head, ...rows].join('\n')}\n\n${RELATIONS}`
}

const RELATIONS = `Bounds between keys are checked too: a head has to fit half a connection's receive window, a target its head,
a read half the request ring, the head of an answer half the response ring, a body that is awaited whole, or sent whole, half a runtime's memory;
the low watermark is below the high one, and the soft footprint below the high one and that below the memory
limit; \`limits.cpuMs\` does not exceed \`limits.wallMs\`, nor \`pool.prewarm\` \`pool.maxPerFunction\`. An error line names both keys.
`
