/** `functions`: what is served where. That exactly one of file and code is given, and unique names: checks.ts. */
import * as v from 'valibot'
import { isNetwork, isRule } from '../host/fetch/rules.ts'
import { KIB, list, MIB, string } from './leaf.ts'
import { functionLimitsSchema, isolation } from './limits-schema.ts'
import { assetsSchema } from './static-schema.ts'

const FUNCTIONS_MAX = 10_000
const ROUTES_MAX = 100
const ENV_NAMES_MAX = 256

/**
 * A path as it stands in a request line (RFC 3986, section 3.3: pchar, percent-encoded), with `*` only as the whole of
 * the last segment. Anything else would be a route that no request can meet.
 */
const ROUTE = /^\/(?:[\w\-.~!$&'()+,;=:@/]|%[\dA-Fa-f]{2})*(?:(?<=\/)\*)?$/
const NAME = /^[a-z0-9][a-z0-9_-]*$/

const name = string(
  64,
  { meaning: "The function's name, unique." },
  NAME,
  'small letters, digits, _ and - (a letter or digit first)',
)
const route = string(
  1024,
  { meaning: 'An exact path, or a prefix that ends in /*.' },
  ROUTE,
  'a path that starts with /, percent-encoded, with * only after the last /,',
)
const envName = string(
  128,
  { meaning: 'Name of a variable.' },
  /^[A-Za-z_]\w*$/,
  'letters, digits and _ (no digit first)',
)
const envValue = v.pipe(
  v.string(),
  v.maxLength(64 * KIB),
  v.metadata({
    kind: 'string',
    rule: `text of at most ${64 * KIB} characters`,
    meaning: 'A secret.',
    hidden: true,
  }),
)

const RULES_MAX = 100
const checked = (rule: string, meaning: string, holds: (value: string) => boolean) =>
  v.pipe(v.string(), v.maxLength(512), v.check(holds), v.metadata({ kind: 'string', rule, meaning }))

const fetch = v.strictObject({
  allow: v.exactOptional(
    list(
      checked(
        'scheme://host, :port for another than its own, with * for the scheme, the port, the host or what is before its first dot,',
        'One origin or pattern, as https://*.example.com or http://127.0.0.1:9000.',
        isRule,
      ),
      0,
      RULES_MAX,
      { meaning: 'Where the function may send requests by fetch; nowhere without it.' },
    ),
  ),
  addresses: v.exactOptional(
    list(
      checked('an address or a network such as 10.1.0.0/16,', 'One address or network.', isNetwork),
      0,
      RULES_MAX,
      {
        meaning:
          'Addresses that are not of the internet (private, loopback, link-local) and may be reached all the same.',
      },
    ),
  ),
})

const env = v.pipe(
  v.record(envName, envValue),
  v.check((record) => Object.keys(record).length <= ENV_NAMES_MAX),
  v.metadata({
    kind: 'map',
    rule: `an object of at most ${ENV_NAMES_MAX} texts`,
    max: ENV_NAMES_MAX,
    meaning: 'What the function gets as env; its values are secrets: no output shows them.',
    hidden: true,
  }),
)

export const functionsSchema = list(
  v.strictObject({
    name,
    file: v.exactOptional(
      string(
        4096,
        { meaning: 'Source file; relative to the folder of the configuration file.' },
        undefined,
        'a path',
      ),
    ),
    code: v.exactOptional(string(MIB, { meaning: 'Source text, instead of file.', hidden: true })),
    jsxImportSource: v.exactOptional(
      string(
        256,
        {
          meaning:
            'Package of the JSX runtime, where neither a pragma nor a tsconfig.json names one (then react).',
        },
        undefined,
        "a package's name",
      ),
    ),
    routes: list(route, 1, ROUTES_MAX, { meaning: 'What the function serves.' }),
    isolation: v.exactOptional(isolation()),
    env: v.exactOptional(env),
    assets: v.exactOptional(assetsSchema),
    fetch: v.exactOptional(fetch),
    limits: v.exactOptional(functionLimitsSchema),
  }),
  0,
  FUNCTIONS_MAX,
  {
    meaning:
      'The functions; with none, no handler on the command line and no static files, the examples are served.',
  },
)
