/** Logs until it is told to stop, and reports on a channel of its own; log.test.ts bundles and runs it. */
import { accessLogger, createLogger } from '../../src/log.ts'

const KILOBYTE = 'x'.repeat(1000)

const log = await createLogger({ level: 'info', name: 'child' })
const access = accessLogger(
  { log: { access: 'on', sampleEvery: 1, level: 'info', lineBytes: 8192 } },
  log.output,
)
const report = (what: string) => process.send!({ what, dropped: log.output.dropped })

process.on('message', (order: 'flood' | 'say' | 'end') => {
  if (order === 'flood') {
    for (let i = 0; i < 3000; i++) {
      log.info({ i }, KILOBYTE)
      access.line({
        method: 'GET',
        target: '/',
        status: 200,
        bytes: 1,
        durationMicros: 1,
        function: 'f',
        requestId: String(i),
      })
    }
    log.error('an error')
  }
  if (order === 'say') log.flush()
  if (order === 'end') log.output.close()
  report(order)
  if (order === 'end') process.disconnect()
})
report('ready')
