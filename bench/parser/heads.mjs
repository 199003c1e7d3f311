// The request heads of this bench, and what a parser must find in them. The browser's fields also go to bench/http.

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyz-_.ABCDEFGHIJKLMNOPQRSTUVWXYZ'
const HOST = 'shop.ringlet.test'
const FIELD_LINE_BYTES = 40
const COOKIE_BYTES = 8192
/** Lines of a field: the colon with its space, and CRLF. */
const LINE_OVERHEAD_BYTES = 4

/** Text such as a cookie holds, the same in every run. */
const filler = (length) =>
  Array.from({ length }, (_, at) => ALPHABET[(at * at + 7 * at) % ALPHABET.length]).join('')

const lineBytes = ([name, value]) => name.length + value.length + LINE_OVERHEAD_BYTES

/** What a browser sends besides Host, as lines of exactly `bytes` bytes together: the cookie makes up the rest. */
export function browserFields(bytes) {
  const fields = [
    ['User-Agent', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'],
    ['Accept', 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8'],
    ['Accept-Language', 'en-GB,en;q=0.8,de;q=0.5'],
    ['Accept-Encoding', 'gzip, deflate, br, zstd'],
    ['Referer', `https://${HOST}/engines?sort=price`],
    ['Connection', 'keep-alive'],
    ['Upgrade-Insecure-Requests', '1'],
    ['Sec-Fetch-Dest', 'document'],
    ['Sec-Fetch-Mode', 'navigate'],
    ['Cookie', 'theme=dark; cart=4711; sid='],
  ]
  const rest = bytes - fields.reduce((sum, field) => sum + lineBytes(field), 0)
  if (rest < 0) throw new RangeError(`the fields of a browser take ${-rest} bytes more than ${bytes}`)
  fields.at(-1)[1] += filler(rest)
  return fields
}

function headOf(target, fields) {
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`)
  return { method: 'GET', target, fields, text: `GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n` }
}

function browserHead(bytes) {
  const target = '/engines/difference-engine-2?view=full'
  const bare = headOf(target, [['Host', HOST]])
  return headOf(target, [...bare.fields, ...browserFields(bytes - bare.text.length)])
}

/** So many fields with lines of one length, Host being one of them. */
function evenHead(count) {
  const fields = Array.from({ length: count }, (_, at) => {
    const name = at === 0 ? 'Host' : `X-Field-${String(at).padStart(3, '0')}`
    return [name, filler(FIELD_LINE_BYTES - LINE_OVERHEAD_BYTES - name.length)]
  })
  return headOf('/', fields)
}

/** A case: `framing` has `readFraming` follow each parse, `perField` asks for a figure per field. */
function caseOf(name, head, { bytes, framing = false, perField = false } = {}) {
  if (bytes !== undefined && head.text.length !== bytes)
    throw new Error(`${name}: ${head.text.length} bytes, not ${bytes}`)
  return { name, head, framing, perField }
}

export const CASES = [
  caseOf('browser 703 B', browserHead(703), { bytes: 703 }),
  caseOf('minimal 35 B', headOf('/', [['Host', 'localhost']]), { bytes: 35 }),
  ...[10, 25, 50, 100, 200].map((count) => caseOf(`fields ${count}`, evenHead(count), { perField: true })),
  caseOf('1 KB head', browserHead(1024), { bytes: 1024 }),
  caseOf(
    '8 KiB cookie',
    headOf('/', [
      ['Host', HOST],
      ['Cookie', filler(COOKIE_BYTES)],
    ]),
  ),
  caseOf('browser + framing', browserHead(703), { bytes: 703, framing: true }),
]
