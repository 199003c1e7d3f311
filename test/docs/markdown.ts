// What the tests of the documentation read out of Markdown.

const FENCE = /^```(\w*)\n([\s\S]*?)^```$/gm

interface CodeBlock {
  readonly language: string
  readonly text: string
}

export function codeBlocks(markdown: string): CodeBlock[] {
  return [...markdown.matchAll(FENCE)].map(([, language, text]) => ({ language: language!, text: text! }))
}

const withoutBlocks = (markdown: string) => markdown.replace(FENCE, '')

/** Targets of all links, as they are written. */
export function links(markdown: string): string[] {
  const prose = withoutBlocks(markdown).replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^()\s]+)\)/g)].map(([, target]) => target!)
}

/** Texts between backticks, outside of blocks. */
export function codeSpans(markdown: string): string[] {
  return [...withoutBlocks(markdown).matchAll(/`([^`\n]+)`/g)].map(([, text]) => text!)
}

/** The anchors that GitHub gives to headings: lower case, spaces to hyphens, punctuation left out. */
export function anchors(markdown: string): Set<string> {
  const headings = withoutBlocks(markdown).matchAll(/^#{1,6} (.+)$/gm)
  return new Set(
    [...headings].map(([, text]) =>
      text!
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

/** Cells of the table's rows between two markers, the header left out. */
export function tableBetween(markdown: string, name: string): string[][] {
  const part = markdown.split(`<!-- ${name}:start -->`)[1]?.split(`<!-- ${name}:end -->`)[0]
  if (part === undefined) throw new Error(`no markers of the table ${name}`)
  const rows = part.split('\n').filter((line) => line.startsWith('|'))
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split('|')
      .map((cell) => cell.trim()),
  )
}
