/** The command line. Flags that set a key come from the schema; what they may hold is checked there, not here. */
import { Command, CommanderError, Option } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { type Key, settableKeys } from './config/keys.ts'

export interface CommandLineSettings {
  readonly kind: 'settings'
  /** What the flags hold, by the path of the key they set, as text. */
  readonly flags: ReadonlyMap<string, { readonly flag: string; readonly text: string }>
  readonly handler?: string
  readonly code?: string
  /** Folder of static files. */
  readonly staticDir?: string
  readonly configPath?: string
  readonly printConfig: boolean
}

export type CommandLine =
  | CommandLineSettings
  | { readonly kind: 'print'; readonly text: string }
  | { readonly kind: 'wrong'; readonly problem: string }

/** `argv` without the program and the script. */
export function parseCommandLine(argv: readonly string[]): CommandLine {
  let printed = ''
  const keyed = settableKeys()
    .filter(({ info }) => info.flag)
    .map((key) => ({ key, option: keyOption(key) }))
  const command = describeCommand(keyed.map(({ option }) => option)).configureOutput({
    writeOut: (text) => {
      printed += text
    },
    writeErr: () => {},
  })
  try {
    command.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (error.exitCode === 0) return { kind: 'print', text: printed }
    return { kind: 'wrong', problem: oneLine(error.message) }
  }
  const options = command.opts<Record<string, string | undefined> & { printConfig?: true }>()
  const flags = new Map<string, { flag: string; text: string }>()
  for (const { key, option } of keyed) {
    const text = options[option.attributeName()]
    if (text !== undefined) flags.set(key.path, { flag: option.long!, text })
  }
  const handler = command.args[0]
  return {
    kind: 'settings',
    flags,
    ...(handler !== undefined && { handler }),
    ...(options['eval'] !== undefined && { code: options['eval'] }),
    ...(options['static'] !== undefined && { staticDir: options['static'] }),
    ...(options['config'] !== undefined && { configPath: options['config'] }),
    printConfig: options.printConfig ?? false,
  }
}

function describeCommand(keyOptions: readonly Option[]): Command {
  const command = new Command('ringlet')
    .description(`${manifest.description}.`)
    .argument('[handler]', 'file with one function (.js, .ts, .tsx), served at every path')
    .option('-e, --eval <code>', 'serve this source text instead of a file')
    .option('--static <dir>', 'serve the files of this folder, before the handler')
    .option('--config <file>', 'configuration file, .json or .toml')
  for (const option of keyOptions) command.addOption(option)
  return command
    .option('--print-config', 'show the effective configuration as JSON, without secrets, and exit')
    .version(manifest.version, '--version', 'show the version and exit')
    .helpOption('--help', 'show this and exit')
    .addHelpText(
      'after',
      `
ringlet init [folder] writes a project to begin with: a function, its configuration and a test.

Every key of the configuration can be set in a file (ringlet.config.json, ringlet.json or ringlet.toml in
the working folder, or --config) and most in the environment (limits.cpuMs is RINGLET_LIMITS_CPU_MS).
The environment outranks the file, flags outrank both.`,
    )
    .allowExcessArguments(false)
    .exitOverride()
}

function keyOption({ info, default: value }: Key): Option {
  const placeholder = info.choices?.join('|') ?? (info.kind === 'integer' ? 'number' : 'text')
  const fallback = info.defaultText ?? value
  const shown = fallback === null ? '' : ` (default: ${fallback})`
  return new Option(`${info.flag} <${placeholder}>`, `${info.meaning.replace(/\.$/, '')}${shown}`)
}

/** Commander's messages begin with "error: " and put a suggestion on a line of its own. */
function oneLine(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/\.?\s*\n\s*\(Did you mean ([^?]*)\?\)/, ' (did you mean $1?)')
}
