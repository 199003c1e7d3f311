// Reading what a guest has handed over: the types that an operation needs, or it is not done.

import type { HostValue } from '../../guest/host.ts'

/** An argument is not what the guest's own code would have sent. Never seen by a guest: the operation gives undefined. */
export class WrongArgument extends Error {
  override readonly name = 'WrongArgument'
}

export function bytes(value: HostValue): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new WrongArgument('bytes expected')
  return value
}

export function text(value: HostValue): string {
  if (typeof value !== 'string') throw new WrongArgument('text expected')
  return value
}

export function whole(value: HostValue, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    throw new WrongArgument(`a whole number from ${min} to ${max} expected`)
  }
  return value
}

export function flag(value: HostValue): boolean {
  return whole(value, 0, 1) === 1
}

const HASHES: ReadonlyMap<string, string> = new Map([
  ['SHA-1', 'sha1'],
  ['SHA-256', 'sha256'],
  ['SHA-384', 'sha384'],
  ['SHA-512', 'sha512'],
])

/** The host's name of a hash. */
export function hash(value: HostValue): string {
  const name = HASHES.get(text(value))
  if (name === undefined) throw new WrongArgument('no such hash')
  return name
}

/** Several byte strings in one: LIST of subtle-ops.ts. */
export function list(...parts: readonly Uint8Array[]): Uint8Array {
  const framed = parts.flatMap((part) => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(part.length)
    return [length, part]
  })
  return Buffer.concat(framed)
}
