import { host, toWire } from '../bridge.ts'
import { OP } from '../ops.ts'
import { defineProperty, stringSplit, uncurry } from '../primordials.ts'
import { isRequest, Request } from './request.ts'

/**
 * Members of a Request that only browsers act upon, with `integrity`, which fetch verifies, and `cache`, which it passes on (Fetch,
 * section 5.4). Few handlers look at them: they are beside the Request, not in it, and their accessors come with this feature.
 */
interface Members {
  readonly cache: string
  readonly credentials: string
  readonly integrity: string
  readonly keepalive: boolean
  readonly mode: string
  readonly referrer: string
  readonly referrerPolicy: string
}

const CLIENT = 'about:client'
const DEFAULTS: Members = {
  cache: 'default',
  credentials: 'same-origin',
  integrity: '',
  keepalive: false,
  mode: 'cors',
  referrer: CLIENT,
  referrerPolicy: '',
}

const ENUMS: Readonly<Record<string, readonly string[]>> = {
  cache: ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'],
  credentials: ['omit', 'same-origin', 'include'],
  duplex: ['half'],
  // "navigate" is one of the enumeration, which no Request can be made with.
  mode: ['cors', 'no-cors', 'same-origin'],
  priority: ['auto', 'high', 'low'],
  referrerPolicy: [
    '',
    'no-referrer',
    'no-referrer-when-downgrade',
    'same-origin',
    'origin',
    'strict-origin',
    'origin-when-cross-origin',
    'strict-origin-when-cross-origin',
    'unsafe-url',
  ],
}
const SIMPLE_METHODS: readonly string[] = ['GET', 'HEAD', 'POST']

const known = new WeakMap<object, Members>()
const lookUp = uncurry(WeakMap.prototype.get as (this: WeakMap<object, Members>, key: object) => Members)
const keep = uncurry(
  WeakMap.prototype.set as (this: WeakMap<object, Members>, key: object, value: Members) => unknown,
)

type Init = Readonly<Record<string, unknown>>

/** Those of a Request. @throws TypeError for what is none. */
export function membersOf(request: unknown): Members {
  if (!isRequest(request)) throw new TypeError('not a Request')
  return lookUp(known, request) ?? DEFAULTS
}

/**
 * Called by the constructor, with the init, the Request that is the input, and the method. @throws TypeError for what the standard
 * does not allow.
 */
export function readMembers(request: Request, init: Init, source: Request | undefined, method: string): void {
  const base = source === undefined ? DEFAULTS : membersOf(source)
  let isEmpty = true
  for (const _ in init) {
    isEmpty = false
    break
  }
  const members: Members = {
    cache: oneOf(init, 'cache') ?? base.cache,
    credentials: oneOf(init, 'credentials') ?? base.credentials,
    integrity: init['integrity'] === undefined ? base.integrity : `${init['integrity']}`,
    keepalive: init['keepalive'] === undefined ? base.keepalive : Boolean(init['keepalive']),
    mode: oneOf(init, 'mode') ?? base.mode,
    referrer: toReferrer(init['referrer'], isEmpty ? base.referrer : CLIENT),
    referrerPolicy: oneOf(init, 'referrerPolicy') ?? (isEmpty ? base.referrerPolicy : ''),
  }
  oneOf(init, 'duplex')
  oneOf(init, 'priority')
  if (init['window'] !== undefined && init['window'] !== null)
    throw new TypeError('the window of a Request must be null')
  if (members.cache === 'only-if-cached' && members.mode !== 'same-origin')
    throw new TypeError('the cache mode "only-if-cached" needs the mode "same-origin"')
  if (members.mode === 'no-cors' && !SIMPLE_METHODS.includes(method))
    throw new TypeError(`the mode "no-cors" does not allow the method ${method}`)
  keep(known, request, members)
}

/** A clone has them as well. */
export function copyMembers(to: Request, from: Request): void {
  keep(known, to, membersOf(from))
}

/** WebIDL's conversion to an enumeration. */
function oneOf(init: Init, member: string): string | undefined {
  const given = init[member]
  if (given === undefined) return undefined
  const value = `${given}`
  if (ENUMS[member]!.includes(value)) return value
  throw new TypeError(`${JSON.stringify(value)} is no ${member} of a Request`)
}

/** Fetch, "new Request", step 14: no page is of this origin, so every URL may stand there. */
function toReferrer(given: unknown, otherwise: string): string {
  if (given === undefined) return otherwise
  const text = `${given}`
  if (text === '') return ''
  const parts = host(OP.URL_PARSE, toWire(text), undefined) as string | undefined
  if (parts === undefined) throw new TypeError(`the referrer ${JSON.stringify(text)} is not a valid URL`)
  return stringSplit(parts, '\n')[0]!
}

/** What is there to be read, as of any Request. */
class Accessors {
  get cache(): string {
    return membersOf(this).cache
  }
  get credentials(): string {
    return membersOf(this).credentials
  }
  get destination(): string {
    membersOf(this)
    return ''
  }
  get duplex(): 'half' {
    membersOf(this)
    return 'half'
  }
  get integrity(): string {
    return membersOf(this).integrity
  }
  get isHistoryNavigation(): boolean {
    membersOf(this)
    return false
  }
  get isReloadNavigation(): boolean {
    membersOf(this)
    return false
  }
  get keepalive(): boolean {
    return membersOf(this).keepalive
  }
  get mode(): string {
    return membersOf(this).mode
  }
  get referrer(): string {
    return membersOf(this).referrer
  }
  get referrerPolicy(): string {
    return membersOf(this).referrerPolicy
  }
}

/** Called once, while the feature is loaded. */
export function extendRequest(): void {
  const { prototype } = Accessors
  for (const name of Object.getOwnPropertyNames(prototype)) {
    if (name === 'constructor') continue
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name)!
    defineProperty(Request.prototype, name, { ...descriptor, enumerable: true })
  }
}
