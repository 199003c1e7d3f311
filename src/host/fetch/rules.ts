// Where a function may send requests: `functions[].fetch.allow`, entries of scheme, host and port.

import { isIP } from 'node:net'

/** `https://api.example.com`, `https://*.example.com:8443`, `http://[::1]:*`, `https://*`. */
const RULE = /^(https?|\*):\/\/(\*|\[[\da-fA-F:.]+\]|(?:\*\.)?[\w-]+(?:\.[\w-]+)*)(?::(\d{1,5}|\*))?$/
const PORTS: Record<string, string> = { 'http:': '80', 'https:': '443' }
const ANY = '*'

interface Rule {
  /** With its colon, or `*`. */
  readonly scheme: string
  /** As the URL parser gives it; `*`, or `*.` and a suffix. */
  readonly host: string
  /** Undefined: the scheme's own. */
  readonly port: string | undefined
}

/** Whether `text` is an entry of the list. */
export function isRule(text: string): boolean {
  return parse(text) !== undefined
}

/** Whether `text` is an address, or a network in CIDR notation. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, more] = text.split('/')
  const family = isIP(address)
  if (family === 0 || more !== undefined || address.includes('%')) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128))
}

function parse(text: string): Rule | undefined {
  const [, scheme, host, port] = RULE.exec(text) ?? []
  if (
    scheme === undefined ||
    host === undefined ||
    (port !== undefined && port !== ANY && Number(port) > 65_535)
  )
    return undefined
  if (host === ANY) return { scheme: withColon(scheme), host, port }
  const isWild = host.startsWith('*.')
  const plain = isWild ? host.slice(2) : host
  if (!URL.canParse(`http://${plain}/`)) return undefined
  const { hostname } = new URL(`http://${plain}/`)
  // "*.1.2.3" would be read as part of an address.
  if (isWild && isIP(hostname) !== 0) return undefined
  return { scheme: withColon(scheme), host: isWild ? `*.${hostname}` : hostname, port }
}

const withColon = (scheme: string) => (scheme === ANY ? ANY : `${scheme}:`)
const bare = (host: string) => host.replace(/^\[|\]$/g, '')

export class AllowList {
  readonly #rules: readonly Rule[]

  /** Entries that are none are left out: the configuration has been checked. */
  constructor(entries: readonly string[]) {
    this.#rules = entries.map(parse).filter((rule) => rule !== undefined)
  }

  /**
   * The address that a URL names, if it is listed as such, with this scheme and port: then it may be reached whatever it is. An entry
   * for every host does not open the other ports of an address that is listed with one.
   */
  addressOf(url: URL): string | undefined {
    const { hostname } = url
    return isIP(bare(hostname)) !== 0 &&
      this.#rules.some((rule) => rule.host === hostname && isThrough(rule, url))
      ? bare(hostname)
      : undefined
  }

  allows(url: URL): boolean {
    // "example.com." is the same host.
    const host = url.hostname.replace(/\.$/, '')
    return this.#rules.some((rule) => isThrough(rule, url) && matches(rule.host, host))
  }
}

/** Whether a rule holds for a URL's scheme and port. */
function isThrough({ scheme, port }: Rule, { protocol, port: asked }: URL): boolean {
  const number = asked === '' ? PORTS[protocol] : asked
  return (scheme === ANY || scheme === protocol) && (port === ANY || (port ?? PORTS[protocol]) === number)
}

/** A name below the suffix, of whatever depth; an address is not matched by part of a name. */
function matches(pattern: string, host: string): boolean {
  if (pattern === ANY || pattern === host) return true
  return pattern.startsWith('*.') && host.endsWith(pattern.slice(1)) && isIP(bare(host)) === 0
}
