/** Finds, reads and parses the configuration file. Texts of the file are never quoted: it may hold secrets. */
import { open } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseJson } from './json.ts'
import { ConfigError } from './problems.ts'
import { isObject, typeName } from './values.ts'

const FILE_NAMES = ['ringlet.config.json', 'ringlet.json', 'ringlet.toml'] as const
/** Room for the largest list of functions; whoever points at something larger has mistaken the file. */
const FILE_BYTES_MAX = 16 * 1024 * 1024

export type ReadFile = (path: string) => Promise<string>

export interface ConfigFile {
  /** Absolute. */
  readonly path: string
  /** As the user knows it, for error lines. */
  readonly label: string
  readonly content: Record<string, unknown>
}

/** The file at `path`, else the one found in `cwd`, if any. Throws `ConfigError`. */
export async function loadFile(
  path: string | undefined,
  cwd: string,
  readFile: ReadFile = readTextFile,
): Promise<ConfigFile | undefined> {
  const names = path === undefined ? FILE_NAMES : [path]
  const texts = await Promise.all(names.map((name) => readIfThere(name, resolve(cwd, name), readFile)))
  const found = names.filter((_, index) => texts[index] !== undefined)
  if (found.length > 1) {
    throw new ConfigError([
      `more than one configuration file: ${found.join(', ')}; keep one, or say which with --config`,
    ])
  }
  const label = found[0]
  if (label === undefined) {
    if (path === undefined) return undefined
    throw new ConfigError([`${path}: there is no such configuration file`])
  }
  const text = texts[names.indexOf(label as never)]!
  return { path: resolve(cwd, label), label: label, content: await parse(label, text) }
}

async function readIfThere(name: string, path: string, readFile: ReadFile): Promise<string | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new ConfigError([`${name}: the configuration file cannot be read: ${code ?? message}`])
  }
}

async function readTextFile(path: string): Promise<string> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size > FILE_BYTES_MAX) throw new Error(`it has ${size} bytes, must have at most ${FILE_BYTES_MAX}`)
    return new TextDecoder('utf-8', { fatal: true }).decode(await file.readFile())
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      throw new Error('it is not UTF-8 text')
    }
    throw error
  } finally {
    await file.close()
  }
}

async function parse(label: string, text: string): Promise<Record<string, unknown>> {
  const value = label.endsWith('.toml') ? await parseTomlText(label, text) : parseJsonText(label, text)
  if (isObject(value)) return value
  throw new ConfigError([`${label}: the configuration is ${typeName(value)}, must be an object`])
}

function parseJsonText(label: string, text: string): unknown {
  if (!label.endsWith('.json')) {
    throw new ConfigError([`${label}: a configuration file must end in .json or .toml`])
  }
  const parsed = parseJson(text.replace(/^\uFEFF/, ''))
  if (parsed.ok) return parsed.value
  throw new ConfigError([`${label}: not valid JSON at line ${parsed.line}, column ${parsed.column}`])
}

async function parseTomlText(label: string, text: string): Promise<unknown> {
  const { parse, TomlError } = await import('smol-toml')
  try {
    return parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = /^Invalid TOML document: ([a-z :,-]+)\n/.exec(error.message)?.[1]
    const place = `line ${error.line}, column ${error.column}${reason ? `: ${reason}` : ''}`
    throw new ConfigError([`${label}: not valid TOML at ${place}`])
  }
}
