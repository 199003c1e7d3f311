/** A JSX runtime that makes HTML text, for the example page. */
class Html {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }
}

type Child = Html | string | number | boolean | null | undefined | Child[]
type Props = Record<string, unknown> & { children?: Child }

const VOID_TAG = /^(?:br|hr|img|input|link|meta)$/
const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => ENTITIES[char] ?? char)
}

function render(child: Child): string {
  if (Array.isArray(child)) return child.map(render).join('')
  if (child instanceof Html) return child.text
  return child === null || child === undefined || typeof child === 'boolean' ? '' : escapeHtml(String(child))
}

export function jsx(tag: string, { children, ...attributes }: Props): Html {
  let text = `<${tag}`
  for (const [name, value] of Object.entries(attributes)) text += ` ${name}="${escapeHtml(String(value))}"`
  return new Html(VOID_TAG.test(tag) ? `${text}>` : `${text}>${render(children)}</${tag}>`)
}

export { jsx as jsxs }
