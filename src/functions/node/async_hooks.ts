/** What is left out (hooks, execution ids) is told at build time: there is no such export. */
import { AsyncLocalStorage } from './async-local-storage.ts'
import { AsyncResource } from './async-resource.ts'

export { AsyncLocalStorage, AsyncResource }
export default { AsyncLocalStorage, AsyncResource }
