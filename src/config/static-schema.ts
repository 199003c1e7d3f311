/** `static`, `functions[].assets` and `files`: which folders are served where, and what is kept of their files. */
import * as v from 'valibot'
import { choice, GIB, KIB, list, MIB, string, wholeNumber } from './leaf.ts'

const STATICS_MAX = 100
const NAMES_MAX = 16
const HEADERS_MAX = 32

const ROUTE = /^\/(?:(?:[\w\-.~!$&'()+,;=:@]|%[\dA-Fa-f]{2})+\/)*\*$/
const FIELD_NAME = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/
const FIELD_VALUE = /^[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?$/
/** Neither absolute nor on the way up. */
const BELOW = /^(?!\/)(?!(?:.*\/)?\.\.?(?:\/|$))[^\0\\]+$/

/** What the server writes itself, or what would change where a message ends. */
const OWN_FIELDS = [
  'accept-ranges',
  'cache-control',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'etag',
  'keep-alive',
  'last-modified',
  'location',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'vary',
]
const fieldName = v.pipe(
  v.string(),
  v.maxLength(128),
  v.regex(FIELD_NAME),
  v.check((name) => !OWN_FIELDS.includes(name.toLowerCase())),
  v.metadata({
    kind: 'string',
    rule: 'the name of a field that the server does not write itself',
    meaning: 'Name of a field.',
  }),
)
const fieldValue = string(
  1024,
  { meaning: 'Its value.' },
  FIELD_VALUE,
  'a field value (visible characters, spaces within)',
)

/** What a folder of files has, be it a route's or a function's. */
const folder = {
  dir: string(
    4096,
    { meaning: 'The folder; relative to the folder of the configuration file.' },
    undefined,
    'a path',
  ),
  cacheControl: v.optional(
    v.nullable(string(512, { meaning: 'Value of Cache-Control; null: none.' }, FIELD_VALUE, 'a field value')),
    'public, max-age=0, must-revalidate',
  ),
  index: v.optional(
    list(string(255, { meaning: 'A file name.' }, /^(?!\.\.?$)[^\0/\\]+$/, 'a file name'), 0, NAMES_MAX, {
      meaning: 'Files that stand for their folder, first choice first.',
    }),
    ['index.html'],
  ),
  spaFallback: v.optional(
    v.nullable(
      string(
        1024,
        {
          meaning:
            'File below dir that answers for what is not there, unless its last segment has a dot; null: none.',
        },
        BELOW,
        'a path below dir',
      ),
    ),
    null,
  ),
  extensions: v.optional(
    list(string(32, { meaning: 'Without the dot.' }, /^[\w-][\w.-]*$/, 'letters and digits'), 0, NAMES_MAX, {
      meaning: 'Tried behind a name that is no file: with html, /about serves about.html.',
    }),
    [],
  ),
  dotfiles: v.optional(
    choice(['ignore', 'deny', 'allow'], {
      meaning: 'Names that begin with a dot: 404, 403, or served. /.well-known/ is served always.',
    }),
    'ignore',
  ),
  symlinks: v.optional(
    choice(['inside', 'follow'], {
      meaning: 'Symbolic links that lead out of dir: refused with 403, or followed.',
    }),
    'inside',
  ),
  listing: v.optional(
    choice(['off', 'on'], { meaning: 'Whether a folder without an index is listed; else 403.' }),
    'off',
  ),
  headers: v.optional(
    v.pipe(
      v.record(fieldName, fieldValue),
      v.check((record) => Object.keys(record).length <= HEADERS_MAX),
      v.metadata({
        kind: 'map',
        rule: `an object of at most ${HEADERS_MAX} fields`,
        max: HEADERS_MAX,
        meaning: 'Fields of every answer with a file.',
      }),
    ),
    {},
  ),
}

const COMPRESSION = ['on', 'beside', 'off'] as const

export const staticSchema = list(
  v.strictObject({
    route: v.optional(
      string(
        1024,
        { meaning: 'Prefix of the paths that the folder serves.' },
        ROUTE,
        'a path that starts with / and ends in /*, percent-encoded,',
      ),
      '/*',
    ),
    ...folder,
    compression: v.optional(
      choice(COMPRESSION, {
        meaning:
          'Forms for Accept-Encoding: .br, .zst and .gz beside a file, or made once where there is none; only those beside; none.',
      }),
      'on',
    ),
  }),
  0,
  STATICS_MAX,
  { meaning: 'Folders of static files. --static DIR serves one at every path, instead of these.' },
)

/** `functions[].assets`. A function may look into what it is given, so that content codings are its own wish. */
export const assetsSchema = v.strictObject({
  ...folder,
  compression: v.optional(
    choice(COMPRESSION, {
      meaning:
        'As static[].compression. Other than off: a response may have a Content-Encoding, and its body is as encoded, for functions that pass it on.',
    }),
    'off',
  ),
})

export const filesSchema = v.strictObject({
  cacheBytes: v.optional(
    wholeNumber(MIB, 64 * GIB, { meaning: 'Contents of static files kept in memory, on each shard.' }),
    16 * MIB,
  ),
  fileBytes: v.optional(
    wholeNumber(0, 16 * MIB, {
      meaning: 'Longest file that is kept so; longer ones are read by the acceptor for each request.',
    }),
    128 * KIB,
  ),
  metadataBytes: v.optional(
    wholeNumber(64 * KIB, GIB, { meaning: 'What is known of files, on each shard.' }),
    4 * MIB,
  ),
  checkMs: v.optional(
    wholeNumber(0, 3_600_000, { meaning: 'How old that may be before the folder is looked at again.' }),
    1000,
  ),
  compressBytes: v.optional(
    wholeNumber(0, 64 * MIB, { meaning: 'Longest file that is compressed here.' }),
    MIB,
  ),
})
