import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What the echo handler answers about the request it was given. */
export type Echo = {
  readonly method: string
  readonly url: string
  /** Lower-cased name to combined value. */
  readonly headers: Readonly<Record<string, string>>
  readonly bodyBytes: number
  /** FNV-1a over the body, as 8 hex digits: cheap enough inside the sandbox, and position-sensitive. */
  readonly digest: string
}

/** The handler under test in most suites. `/plain` answers two bytes, for when only the framing counts. */
export const ECHO_HANDLER = `
export default {
  async fetch(request: Request): Promise<Response> {
    const bytes = new Uint8Array(await request.arrayBuffer())
    let digest = 0x811c9dc5
    for (let at = 0; at < bytes.length; at++) digest = Math.imul(digest ^ bytes[at], 0x01000193)
    const headers: Record<string, string> = {}
    for (const [name, value] of request.headers) headers[name] = value
    return Response.json({
      method: request.method,
      url: request.url,
      headers,
      bodyBytes: bytes.length,
      digest: (digest >>> 0).toString(16).padStart(8, '0'),
    })
  },
}
`

/** The host's own FNV-1a, to check the handler's against. */
export function digestOf(bytes: Uint8Array): string {
  let digest = 0x811c9dc5
  for (const byte of bytes) digest = Math.imul(digest ^ byte, 0x01000193)
  return (digest >>> 0).toString(16).padStart(8, '0')
}

/** The oracle: node:http answering the same echo, in this process. Close it with `close()`. */
export async function startOracle(): Promise<{ port: number; close(): Promise<void> }> {
  const server = createServer(
    { keepAliveTimeout: 60_000, insecureHTTPParser: false },
    (request, response) => {
      const parts: Buffer[] = []
      request.on('data', (part: Buffer) => parts.push(part))
      request.on('end', () => {
        const text = JSON.stringify(echoOf(request, Buffer.concat(parts)))
        const fields = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
        response.writeHead(200, fields).end(request.method === 'HEAD' ? undefined : text)
      })
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { port: (server.address() as AddressInfo).port, close: () => closeServer(server) }
}

function echoOf(request: IncomingMessage, body: Buffer): Echo {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) headers[name] = String(value)
  return {
    method: request.method ?? '',
    url: targetUri(request.url ?? '', request.headers.host ?? 'localhost'),
    headers,
    bodyBytes: body.length,
    digest: digestOf(body),
  }
}

/** RFC 9112 section 3.3: the target URI of a request-target and a Host. */
function targetUri(target: string, host: string): string {
  if (target === '*') return `http://${host}/*`
  const text = /^https?:\/\//i.test(target) ? target : `http://${host}${target}`
  return URL.canParse(text) ? new URL(text).href : text
}

function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
