/** From what was written to an effective configuration, or to the list of everything that is wrong with it. */
import { resolve } from 'node:path'
import * as v from 'valibot'
import { checkFunctions, checkRelations, checkStatic, type SourceOf } from './checks.ts'
import { infoOf, nodeOf, schemaAt } from './keys.ts'
import type { Problems } from './problems.ts'
import { type Config, configSchema } from './schema.ts'
import { type PathPart, showPath, showValue, typeName } from './values.ts'

/** Throws `ConfigError` with all of `problems` and what it finds. Relative paths count from `folder`. */
export function validate(input: unknown, folder: string, sourceOf: SourceOf, problems: Problems): Config {
  const result = v.safeParse(configSchema, input)
  if (!result.success) {
    for (const issue of result.issues) reportIssue(issue, sourceOf, problems)
  }
  problems.throwIfAny()
  const config = result.output as Config
  checkRelations(config, sourceOf, problems)
  checkFunctions(config, sourceOf, problems)
  checkStatic(config, sourceOf, problems)
  problems.throwIfAny()
  const functions = config.functions.map((each) => ({
    ...each,
    ...(each.file !== undefined && { file: resolve(folder, each.file) }),
    ...(each.assets !== undefined && { assets: { ...each.assets, dir: resolve(folder, each.assets.dir) } }),
  }))
  const { folder: cacheFolder } = config.cache
  const cache = { ...config.cache, folder: cacheFolder === null ? null : resolve(folder, cacheFolder) }
  const statics = config.static.map((each) => ({ ...each, dir: resolve(folder, each.dir) }))
  return freeze({ ...config, cache, functions, static: statics })
}

/** The parts of valibot's issues that are used here. */
interface Issue {
  readonly path?:
    | readonly { readonly key: unknown; readonly origin?: string; readonly value?: unknown }[]
    | undefined
  readonly input: unknown
}

function reportIssue(issue: Issue, sourceOf: SourceOf, problems: Problems): void {
  const parts = (issue.path ?? []).map(({ key }) => key as PathPart)
  const path = showPath(parts)
  const place = `${sourceOf(path)}: ${path}`
  const isAboutName = issue.path?.at(-1)?.origin === 'key'
  const parent = schemaAt(parts.slice(0, -1))
  const node = parent && nodeOf(parent)
  if (isAboutName && node?.kind === 'map') {
    problems.addFor(path, `${place} has a name that must be ${infoOf(node.key)?.rule}`)
    return
  }
  const schema = schemaAt(parts)
  const info = schema && infoOf(schema)
  const rule = info?.rule ?? 'an object'
  if (isAboutName || issue.input === undefined) {
    problems.addFor(path, `${place} is missing, must be ${rule}`)
    return
  }
  const isScalar = info !== undefined && info.kind !== 'list' && !info.hidden
  const shown = isScalar ? showValue(issue.input) : describe(issue.input)
  problems.addFor(path, `${place} is ${shown}, must be ${rule}`)
}

/** Of a list its length, of what must not be shown its type. */
function describe(input: unknown): string {
  if (Array.isArray(input)) return `a list of ${input.length}`
  return typeof input === 'string' ? `a string of ${input.length} characters` : typeName(input)
}

function freeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  Object.values(value).forEach(freeze)
  return Object.freeze(value)
}
