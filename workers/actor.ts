// The thread entry, for piscina: an actor's whole life is one task, and the images are built by another before it.

import type { MessagePort } from 'node:worker_threads'
import type { ActorPlan } from '../src/actor/plan.ts'
import { runActor } from '../src/actor/run.ts'
import { DEFAULT_ENGINE, loadEngineModules } from '../src/engine/module.ts'
import { LANE } from '../src/protocol.ts'

export { buildImages } from '../src/engine/images.ts'

// Loaded while the functions are still being bundled, so that the thread is ready when they are. Which build the configuration
// wants is not known yet; another than the usual one is loaded when there is work for it, 12 ms later.
void loadEngineModules(DEFAULT_ENGINE)

/** Does nothing: whoever has run it is a thread with all this loaded. What it resolves to must be cloneable: hence nothing. */
export async function warm(): Promise<void> {
  await loadEngineModules(DEFAULT_ENGINE)
}

/** `port` is told once, when the actor can serve, and closes with it. */
export default async function actor({ plan, port }: { plan: ActorPlan; port: MessagePort }): Promise<void> {
  // Open for as long as the thread lives: its end tells the supervisor that nothing more is written to the shard.
  port.unref()
  try {
    await runActor(plan, () => port.postMessage('ready'))
  } catch (error) {
    // Its thread has a priority that no other shard should get, and that it cannot give back.
    if (plan.lane !== LANE.NORMAL) process.exit(1)
    throw error
  }
  port.close()
}
