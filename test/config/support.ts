import { type Config, type Loaded, loadConfig } from '../../src/config/index.ts'

export interface Sources {
  readonly argv?: readonly string[]
  readonly env?: Record<string, string>
  /** Contents by name in the working folder /app. */
  readonly files?: Record<string, string>
}

/** Loads from files that exist only here. */
export function load({ argv = [], env = {}, files = {} }: Sources): Promise<Loaded> {
  const readFile = async (path: string): Promise<string> => {
    const name = path.slice('/app/'.length)
    if (path.startsWith('/app/') && Object.hasOwn(files, name)) return files[name]!
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
  }
  return loadConfig({ argv, env, cwd: '/app', readFile })
}

export async function run(sources: Sources): Promise<Config> {
  const loaded = await load(sources)
  if (loaded.kind !== 'run') throw new Error(`not a run: ${JSON.stringify(loaded)}`)
  return loaded.config
}

/** The problems of a refused configuration, without the program's name. */
export async function problems(sources: Sources): Promise<string[]> {
  const loaded = await load(sources)
  if (loaded.kind !== 'exit') throw new Error(`not refused: ${JSON.stringify(loaded)}`)
  if (loaded.code !== 2 || !loaded.text.endsWith('\n'))
    throw new Error(`wrong form: ${JSON.stringify(loaded)}`)
  return loaded.text
    .slice(0, -1)
    .split('\n')
    .map((line) => {
      if (!line.startsWith('ringlet: ')) throw new Error(`no name before: ${line}`)
      return line.slice('ringlet: '.length)
    })
}

export const json = (content: unknown): Sources => ({ files: { 'ringlet.json': JSON.stringify(content) } })
