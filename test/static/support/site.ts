import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** When all files of a test's folder were changed: long ago, at a whole second. */
export const CHANGED = new Date('2026-01-02T03:04:05Z')
export const CHANGED_DATE = CHANGED.toUTCString()
/** Until the kernel's clock of file times has gone on: a file so young has a weak tag (src/static/representation.ts). */
const SETTLE_MS = 60

export const DIGITS = '0123456789'
export const TEXT = 'The quick brown fox jumps over the lazy dog.\n'.repeat(100)

/** A folder outside of which there is a file that nobody may have. */
export class Site {
  readonly #base = mkdtempSync(join(tmpdir(), 'ringlet-static-'))
  readonly root = join(this.#base, 'root')
  readonly outside = join(this.#base, 'outside.txt')

  constructor(files: Readonly<Record<string, string | Buffer>>) {
    mkdirSync(this.root)
    this.#write(this.outside, 'SECRET')
    for (const [name, content] of Object.entries(files)) this.write(name, content)
  }

  write(name: string, content: string | Buffer): void {
    this.#write(join(this.root, name), content)
  }

  link(name: string, target: string): void {
    symlinkSync(target, join(this.root, name))
  }

  #write(path: string, content: string | Buffer): void {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, content)
    utimesSync(path, CHANGED, CHANGED)
  }

  settle(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
  }

  [Symbol.dispose](): void {
    rmSync(this.#base, { recursive: true, force: true })
  }
}
