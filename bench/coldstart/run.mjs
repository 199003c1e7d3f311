import { inProcess } from './in-process.mjs'
import { processes } from './processes.mjs'

/** How long a function takes from nothing to its first answer: within a process, and with it. */
export async function run({ quick, report }) {
  return [...(await inProcess({ quick, report })), ...(await processes({ quick, report }))]
}
