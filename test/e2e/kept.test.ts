import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const SERVER = new URL('../../dist/server.js', import.meta.url).href

/** What of Node.js's event loop keeps its process alive: it lists a timer that was unref'ed not. */
const SCRIPT = `
import { defaultConfig, start } from ${JSON.stringify(SERVER)}
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
const functions = [{ name: 'one', code: '() => Response.text("one")', routes: ['/*'] }]
const config = (more) => defaultConfig({ port: 0, cores: 1, log: { level: 'silent' }, cache: { mode: 'off' }, functions, ...more })
const found = {}
const refused = start(config({ memoryBudget: 1000 })).catch(({ message }) => message.slice(0, 12))
found.refusing = timers()
found.refused = [await refused, timers()]
const starting = start(config())
found.starting = timers()
const server = await starting
const running = timers()
const stopping = server.stop()
found.stopping = timers() - running
await stopping
found.stopped = timers()
process.stdout.write(JSON.stringify(found))
`

test('a start, a refusal and a stop keep the process alive until they are over, also while they wait for threads alone', async () => {
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', SCRIPT])
  expect(JSON.parse(stdout)).toEqual({
    refusing: 1,
    refused: ['memoryBudget', 0],
    starting: 1,
    stopping: 1,
    stopped: 0,
  })
})
