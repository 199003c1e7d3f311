// What takes too long for the actor's thread: PBKDF2, and the search for an RSA key's primes. They run on the thread pool, where nothing
// can interrupt or measure them, so their cost is reckoned beforehand and charged to the request, which must have it left.

import { pbkdf2 as deriveBits, generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import type { HostValue } from '../../guest/host.ts'
import { ASYNC_OP } from '../../guest/ops.ts'
import { type AsyncOp, CallError, type HostCall } from '../call.ts'
import { bytes, hash, list, WrongArgument, whole } from './arguments.ts'
import { toDer } from './keys.ts'

/** Processor time of one round of PBKDF2, which is two compressions of its hash. */
const ROUND_NANOS: Readonly<Record<string, number>> = { sha1: 280, sha256: 280, sha384: 650, sha512: 650 }
const HASH_BYTES: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }
const ITERATIONS_MAX = 0x7fff_ffff
const DERIVED_BYTES_MAX = 1 << 20

/** Average processor time of finding an RSA key of 2,048 bits; it grows with the fourth power. */
const RSA_2048_MS = 150
const RSA_GENERATE_BITS_MIN = 512
const RSA_GENERATE_BITS_MAX = 4096
/** The exponents that keys are made with; others give weak keys, or none after an endless search. */
const EXPONENTS: ReadonlySet<number> = new Set([3, 65537])

const deriveBitsAsync = promisify(deriveBits)
const generateKeyPairAsync = promisify(generateKeyPair)

/**
 * One at a time a thread: the pool's four threads are the process's, and a guest that keeps all of them busy would stop name look-ups
 * and files for everybody. Those that wait are bounded by `limits.pendingCalls` of their requests.
 */
let last: Promise<unknown> = Promise.resolve()

async function inTurn<T>({ scope, signal }: HostCall, work: () => Promise<T>): Promise<T> {
  const before = last
  let done = () => {}
  last = new Promise<void>((resolve) => (done = resolve))
  await before
  try {
    if (signal.aborted || scope.hasEnded) throw new CallError('AbortError', 'nobody waits for it any more')
    return await work()
  } finally {
    done()
  }
}

function charge({ scope }: HostCall, cpuMs: number): void {
  if (!scope.charge(cpuMs))
    throw new CallError('OperationError', 'it would take more processor time than is left')
}

/** Wrong arguments and what OpenSSL refuses look alike: an OperationError without details. */
const pbkdf2: AsyncOp = async ([name, password, salt, iterations, wanted], call) => {
  const hashName = hash(name)
  const rounds = whole(iterations, 1, ITERATIONS_MAX)
  const count = whole(wanted, 1, DERIVED_BYTES_MAX)
  const [secret, salted] = [bytes(password), bytes(salt)]
  const blocks = Math.ceil(count / HASH_BYTES[hashName]!)
  charge(call, (rounds * blocks * ROUND_NANOS[hashName]!) / 1e6)
  return inTurn(call, () => deriveBitsAsync(secret, salted, rounds, count, hashName))
}

const rsaGenerate: AsyncOp = async ([modulusBits, exponent], call): Promise<HostValue> => {
  const modulusLength = whole(modulusBits, RSA_GENERATE_BITS_MIN, RSA_GENERATE_BITS_MAX)
  const publicExponent = whole(exponent, 1, 0xffff_ffff)
  if (!EXPONENTS.has(publicExponent)) throw new WrongArgument('the exponent must be 3 or 65537')
  charge(call, RSA_2048_MS * (modulusLength / 2048) ** 4)
  const pair = await inTurn(call, () => generateKeyPairAsync('rsa', { modulusLength, publicExponent }))
  return list(toDer(pair.privateKey as KeyObject), toDer(pair.publicKey as KeyObject))
}

export const subtleOps: (readonly [what: number, op: AsyncOp])[] = [
  [ASYNC_OP.PBKDF2, pbkdf2],
  [ASYNC_OP.RSA_GENERATE, rsaGenerate],
]
