/** What a function serves: exact paths, and prefixes that end in `/*`. */
export interface RoutedFunction {
  readonly name: string
  readonly routes: readonly string[]
}

/**
 * A node of the tree of all routes' bytes, as six words: the label of the edge into it (offset and length in
 * `#labels`), its first child and next sibling (0 for none: nothing leads to the root), and the function, plus one, of
 * the exact route and of the prefix that end here (0 for none).
 */
const LABEL = 0
const LABEL_LENGTH = 1
const CHILD = 2
const SIBLING = 3
const EXACT = 4
const PREFIX = 5

const SLASH = 0x2f
const QUESTION_MARK = 0x3f
const ROUTE_CHARS = /^\/[\x21-\x7e]*$/

/**
 * Finds the function for a path, byte by byte as it stands in the request: `/a/../b`, `/%61` and `/a` are three
 * different paths here, so nothing that is decoded later can have slipped past a route. An exact route beats every
 * prefix, a longer prefix beats a shorter one. `/api/*` serves `/api/` and all below it, not `/api`.
 */
export class Router {
  readonly #nodes: Int32Array
  readonly #labels: Uint8Array
  /** The function of `/*` if that is the only route, else -1: then there is nothing to look up. */
  readonly #sole: number
  /** The function of `/*`, -1 for none: also for what is no path (`*` of OPTIONS). */
  readonly #everything: number

  /** @throws Error for a route that is no path, or that two functions claim. */
  constructor(functions: readonly RoutedFunction[]) {
    const { root, owners } = collect(functions)
    const { nodes, labels } = pack(root)
    this.#nodes = nodes
    this.#labels = labels
    this.#everything = owners.get('/*') ?? -1
    this.#sole = owners.size === 1 ? this.#everything : -1
  }

  /** The index of the function for the path in [start, end), which ends early at a `?`; -1 for none. */
  match(bytes: Uint8Array, start: number, end: number): number {
    if (this.#sole >= 0) return this.#sole
    if (start >= end || bytes[start] !== SLASH) return this.#everything
    const nodes = this.#nodes
    const labels = this.#labels
    let best = 0
    let node = 0
    let at = start
    for (;;) {
      if (nodes[node + PREFIX]! > 0) best = nodes[node + PREFIX]!
      if (at === end || bytes[at] === QUESTION_MARK) return (nodes[node + EXACT]! || best) - 1
      const byte = bytes[at]!
      let child = nodes[node + CHILD]!
      while (child > 0 && labels[nodes[child + LABEL]!] !== byte) child = nodes[child + SIBLING]!
      if (child === 0) return best - 1
      const label = nodes[child + LABEL]!
      const length = nodes[child + LABEL_LENGTH]!
      if (length > end - at) return best - 1
      for (let i = 1; i < length; i++) if (labels[label + i] !== bytes[at + i]) return best - 1
      at += length
      node = child
    }
  }
}

interface Branch {
  label: string
  children: Branch[]
  exact: number
  prefix: number
}

function collect(functions: readonly RoutedFunction[]): { root: Branch; owners: Map<string, number> } {
  const root: Branch = { label: '', children: [], exact: 0, prefix: 0 }
  const owners = new Map<string, number>()
  functions.forEach(({ name, routes }, index) => {
    for (const route of routes) {
      const isPrefix = route.endsWith('/*')
      const path = isPrefix ? route.slice(0, -1) : route
      if (!ROUTE_CHARS.test(path) || /[*?#]/.test(path))
        throw new Error(`function ${name}: "${route}" is no route`)
      const owner = owners.get(route)
      if (owner !== undefined && owner !== index) {
        throw new Error(`the route ${route} belongs to ${functions[owner]!.name} and to ${name}`)
      }
      owners.set(route, index)
      const branch = insert(root, path)
      if (isPrefix) branch.prefix = index + 1
      else branch.exact = index + 1
    }
  })
  return { root, owners }
}

/** The branch at which `path` ends, made by splitting edges where needed. */
function insert(root: Branch, path: string): Branch {
  let branch = root
  let rest = path
  while (rest !== '') {
    const next = branch.children.find(({ label }) => label[0] === rest[0])
    if (next === undefined) {
      const leaf: Branch = { label: rest, children: [], exact: 0, prefix: 0 }
      branch.children.push(leaf)
      return leaf
    }
    let shared = 1
    while (shared < next.label.length && next.label[shared] === rest[shared]) shared++
    if (shared < next.label.length) {
      const tail: Branch = { ...next, label: next.label.slice(shared) }
      next.label = next.label.slice(0, shared)
      next.children = [tail]
      next.exact = next.prefix = 0
    }
    rest = rest.slice(shared)
    branch = next
  }
  return branch
}

function pack(root: Branch): { nodes: Int32Array; labels: Uint8Array } {
  const words: number[] = []
  const labels: string[] = []
  let labelBytes = 0
  const place = (branch: Branch): number => {
    const at = words.length
    words.push(labelBytes, branch.label.length, 0, 0, branch.exact, branch.prefix)
    labels.push(branch.label)
    labelBytes += branch.label.length
    let previous = 0
    for (const child of branch.children) {
      const node = place(child)
      if (previous === 0) words[at + CHILD] = node
      else words[previous + SIBLING] = node
      previous = node
    }
    return at
  }
  place(root)
  return { nodes: Int32Array.from(words), labels: Buffer.from(labels.join(''), 'latin1') }
}
