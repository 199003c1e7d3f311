/**
 * The guest's entry: the Web API on the global object, and the host's handles as the bundle's exports. The host reads them
 * once from the global `__ringlet`; `load` removes it from user code's sight.
 */
import { installGlobals } from './globals.ts'

export { takeHead } from './answer.ts'
export { io } from './bridge.ts'
export { where } from './describe.ts'
export { preload } from './feature.ts'
export { conclude, follow, invoke, load, take } from './invoke.ts'
export { complete, flow, leave, push } from './late.ts'
export { rejected } from './report.ts'
export { fire } from './web/timers.ts'

installGlobals()
