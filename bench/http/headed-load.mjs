import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const OUTPUT_BYTES_MAX = 1024 * 1024

/**
 * GET requests with these fields besides Host, by wrk on one thread; the requests answered a second. Throws when one of
 * them failed.
 * @param {{port: number, path: string, headers: Record<string, string>, connections: number, seconds: number}} options
 */
export async function headedRate({ port, path, headers, connections, seconds }) {
  const fields = Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`])
  const size = ['--threads', '1', '--connections', `${connections}`, '--duration', `${seconds}s`]
  const { stdout } = await run('wrk', [...size, ...fields, `http://127.0.0.1:${port}${path}`], {
    maxBuffer: OUTPUT_BYTES_MAX,
  })
  const problems = /^ {2}(Non-2xx or 3xx responses: .*|Socket errors: .*)$/m.exec(stdout)
  if (problems) throw new Error(`wrk reports: ${problems[1]}`)
  const perSecond = /^Requests\/sec:\s+([\d.]+)/m.exec(stdout)
  if (!perSecond) throw new Error(`not understood of wrk:\n${stdout}`)
  return Number(perSecond[1])
}
