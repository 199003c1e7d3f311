/** Types of a function's handler: `import type { Handler } from 'ringlet/types'`. The Web API itself is TypeScript's lib `webworker`. */

/** The third argument of a handler. */
export interface ExecutionContext {
  /** Keeps the runtime with this request until `work` has settled, after the answer too. A rejection goes to the log. */
  waitUntil(work: Promise<unknown>): void
  /** For code written for Cloudflare Workers; does nothing: there is no origin to pass through to. */
  passThroughOnException(): void
}

/** What `functions[].env` of the configuration holds; give your own interface for the names you know. */
export type Env = Readonly<Record<string, string | undefined>>

/** A handler that is a function; it answers by what it returns, and may return a promise of it. */
export type FetchHandler<Environment = Env> = (
  request: Request,
  env: Environment,
  context: ExecutionContext,
) => Response | Promise<Response>

/** A default export: `export default { fetch(request, env, context) { … } } satisfies Handler<MyEnv>`. */
export interface Handler<Environment = Env> {
  fetch: FetchHandler<Environment>
}

/** The name that handlers for Cloudflare Workers use. */
export type ExportedHandler<Environment = Env> = Handler<Environment>
