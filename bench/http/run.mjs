import { loadGenerator } from '../lib/load.mjs'
import { headSize } from './head-size.mjs'
import { memory } from './memory.mjs'
import { startup } from './startup.mjs'
import { throughput } from './throughput.mjs'

/** Runs every HTTP case; `report` is told what goes on. Returns rows. */
export async function run({ quick, report }) {
  const generator = loadGenerator()
  report(`load generator: ${generator.name}, one thread, on the same machine as the servers`)
  return [
    ...(await throughput({ quick, report, generator })),
    ...(await headSize({ quick, report, generator })),
    ...(await startup({ quick, report })),
    ...(await memory({ quick, report, generator })),
  ]
}
