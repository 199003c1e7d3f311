/**
 * The host's ways into what takes longer than one step. Only who has begun such a thing has its code (features/async.ts), so
 * whatever comes without it concerns nobody.
 */
import { loadedFeature } from './feature.ts'

/** A call of the host's has ended: see async.ts. */
export function complete(id: number, outcome: number, value: unknown): void {
  loadedFeature('async')?.complete(id, outcome, value)
}

/** A piece of the request's body: see web/incoming.ts. */
export function push(piece: ArrayBuffer, last: number, seat: number | undefined): void {
  loadedFeature('async')?.push(piece, last, seat)
}

/** The answer may go on: see web/outgoing.ts. */
export function flow(bytes: number, seat: number | undefined): void {
  loadedFeature('async')?.flow(bytes, seat)
}

/** Nobody wants the rest: see web/departure.ts. */
export function leave(hasGone: number, seat: number | undefined): void {
  loadedFeature('async')?.leave(hasGone, seat)
}
