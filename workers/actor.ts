// The thread entry, for piscina: an actor's whole life is one task, and the images are built by another before it.

import type { MessagePort } from 'node:worker_threads'
import type { ActorPlan } from '../src/actor/plan.ts'
import { runActor } from '../src/actor/run.ts'
import { DEFAULT_ENGINE, loadEngineModules } from '../src/engine/module.ts'

export { buildImages } from '../src/engine/images.ts'

// Loaded while the functions are still being bundled, so that the thread is ready when they are.
void loadEngineModules(DEFAULT_ENGINE)

/** Does nothing: whoever has run it is a thread with all this loaded. */
export function warm(): Promise<unknown> {
  return loadEngineModules(DEFAULT_ENGINE)
}

/** `port` is told once, when the actor can serve. */
export default async function actor({ plan, port }: { plan: ActorPlan; port: MessagePort }): Promise<void> {
  await runActor(plan, () => {
    port.postMessage('ready')
    port.close()
  })
}
