/** Puts the sources together: defaults, file, environment, flags, each outranking the one before. */
import { basename, dirname, resolve } from 'node:path'
import type { CommandLineSettings } from '../cli.ts'
import { CONFIG_VARIABLE, type Environment, readEnvironment, type Setting } from './environment.ts'
import { type ConfigFile, loadFile, type ReadFile } from './file.ts'
import { inspect } from './inspect.ts'
import { coerce, settableKeys } from './keys.ts'
import { printConfig } from './print.ts'
import { ConfigError, Problems } from './problems.ts'
import { type Config, configSchema } from './schema.ts'
import { validate } from './validate.ts'

interface LoadOptions {
  /** Without the program and the script. */
  readonly argv: readonly string[]
  readonly env: Environment
  readonly cwd: string
  /** Gets an absolute path; rejects with code ENOENT where there is no file. */
  readonly readFile?: ReadFile
}

export type Loaded =
  | { readonly kind: 'run'; readonly config: Config; readonly configFile?: string }
  /** For standard output; exit code 0. */
  | { readonly kind: 'print'; readonly text: string }
  /** For standard error: one line a problem. */
  | { readonly kind: 'exit'; readonly code: number; readonly text: string }

/** Never throws for what a user wrote, never exits, prints nothing. */
export async function loadConfig(options: LoadOptions): Promise<Loaded> {
  try {
    return await load(options)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    const text = error.problems.map((problem) => `ringlet: ${problem}\n`).join('')
    return { kind: 'exit', code: error.exitCode, text }
  }
}

const NO_FLAGS: CommandLineSettings = { kind: 'settings', flags: new Map(), printConfig: false }

async function load({ argv, env, cwd, readFile }: LoadOptions): Promise<Loaded> {
  // The parser takes 10 ms to load; a start without arguments goes without.
  const line = argv.length === 0 ? NO_FLAGS : (await import('../cli.ts')).parseCommandLine(argv)
  if (line.kind === 'print') return line
  if (line.kind === 'wrong') throw new ConfigError([line.problem])
  const problems = new Problems()
  const settings = [...readEnvironment(env, problems), ...flagSettings(line)]
  const file = await loadFile(line.configPath ?? env[CONFIG_VARIABLE], cwd, readFile)
  const config = combine(line, file, settings, cwd, problems)
  if (line.printConfig) return { kind: 'print', text: printConfig(config) }
  return { kind: 'run', config, ...(file && { configFile: file.path }) }
}

function flagSettings({ flags }: CommandLineSettings): Setting[] {
  return settableKeys().flatMap(({ path, info }) => {
    const given = flags.get(path)
    return given ? [{ path, value: coerce(info, given.text), source: given.flag }] : []
  })
}

function combine(
  line: CommandLineSettings,
  file: ConfigFile | undefined,
  settings: readonly Setting[],
  cwd: string,
  problems: Problems,
): Config {
  const sources = new Map<string, string>()
  const input = file ? inspect(file.content, configSchema, file.label, problems) : {}
  const tree = input as Record<string, unknown>
  for (const { path, value, source } of settings) {
    assign(tree, path.split('.'), value)
    sources.set(path, source)
  }
  const single = commandLineFunction(line, tree['functions'], cwd, problems)
  if (single) {
    tree['functions'] = [single]
    sources.set('functions', line.code === undefined ? 'handler' : '--eval')
  }
  if (line.staticDir !== undefined) {
    if (line.staticDir === '') problems.add('--static: the name of the folder is empty')
    else {
      const dir = resolve(cwd, line.staticDir)
      tree['static'] = [{ dir }]
      if (single) single['assets'] = { dir }
    }
    sources.set('static', '--static')
  }
  const sourceOf = (path: string) => sources.get(path) ?? sources.get(topOf(path)) ?? fileOrDefault(path)
  const fileOrDefault = (path: string) => (file && isIn(file.content, path) ? file.label : 'default')
  return validate(tree, file ? dirname(file.path) : cwd, sourceOf, problems)
}

/** `functions` of `functions[0].name`. */
function topOf(path: string): string {
  return /^\w*/.exec(path)![0]
}

/** Whether a file holds the key; all of a list's parts come from where the list comes from. */
function isIn(content: Record<string, unknown>, path: string): boolean {
  let value: unknown = content
  for (const part of path.split(/[[.]/, /^(functions|static)\b/.test(path) ? 1 : undefined)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return false
    value = (value as Record<string, unknown>)[part]
  }
  return true
}

function assign(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [part, ...rest] = path as [string, ...string[]]
  if (rest.length === 0) {
    tree[part] = value
    return
  }
  tree[part] ??= {}
  assign(tree[part] as Record<string, unknown>, rest, value)
}

/** The function of `ringlet handler.ts` or `ringlet -e code`. One way to say what is served, never two at once. */
function commandLineFunction(
  { handler, code }: CommandLineSettings,
  configured: unknown,
  cwd: string,
  problems: Problems,
): Record<string, unknown> | undefined {
  if (handler === undefined && code === undefined) return undefined
  if (handler !== undefined && code !== undefined) {
    problems.add(`${handler}: a handler file and --eval exclude each other`)
    return undefined
  }
  const given = code === undefined ? 'a handler file' : '--eval'
  if (Array.isArray(configured) && configured.length > 0) {
    problems.add(`${given} and functions of the configuration file exclude each other`)
    return undefined
  }
  if (handler === '') {
    problems.add('the name of the handler file is empty')
    return undefined
  }
  const source =
    code === undefined ? { name: nameOf(handler!), file: resolve(cwd, handler!) } : { name: 'eval', code }
  return { ...source, routes: ['/*'] }
}

/** `Hello World.ts` serves as `hello-world`. */
function nameOf(file: string): string {
  const plain = basename(file)
    .replace(/(.)\.[^.]*$/, '$1')
    .toLowerCase()
    .replace(/[^a-z0-9_-]+/g, '-')
  return plain.replace(/^[-_]+/, '').slice(0, 64) || 'handler'
}
