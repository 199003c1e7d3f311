// Connections of functions to other servers. What may be reached is decided at the address that is connected to, after the name
// has been resolved: a name that points elsewhere the second time (DNS rebinding) gains nothing.

import { lookup as systemLookup } from 'node:dns/promises'
import { type BlockList, isIP, type Socket } from 'node:net'
import type { buildConnector, Agent as UndiciAgent } from 'undici'
import { CallError } from '../call.ts'
import { isListed, networks, specialKind } from './addresses.ts'

interface ResolvedAddress {
  readonly address: string
  readonly family: number
}
/** All addresses of a name. */
export type Resolve = (hostname: string) => Promise<readonly ResolvedAddress[]>
type Connector = ReturnType<typeof buildConnector>

/** What is used of undici; loaded when the first request is sent. */
export interface Undici {
  readonly Agent: typeof UndiciAgent
  readonly buildConnector: typeof buildConnector
}

export interface ConnectLimits {
  /** Of one origin and function policy. */
  readonly connections: number
  readonly connectMs: number
  readonly headMs: number
  readonly idleMs: number
  readonly keepAliveMs: number
}

export const resolveBySystem: Resolve = (hostname) => systemLookup(hostname, { all: true })

/** Bytes of a response's head (undici's default is as large). */
const HEAD_BYTES_MAX = 16_384

/** An error of the connection that its guest may see. */
class AddressError extends Error {
  readonly code = 'RINGLET_FETCH_ADDRESS'
}

/** The connections of all functions of one shard: one pool a list of addresses that may be reached. */
export class Connections {
  readonly #undici: Undici
  readonly #limits: ConnectLimits
  readonly #resolve: Resolve
  readonly #agents = new Map<string, UndiciAgent>()
  /** Sockets that are open, idle ones included. */
  openSockets = 0

  constructor(undici: Undici, limits: ConnectLimits, resolve: Resolve) {
    this.#undici = undici
    this.#limits = limits
    this.#resolve = resolve
  }

  /** A pool that reaches the internet, and these addresses and networks. */
  agent(addresses: readonly string[]): UndiciAgent {
    const key = [...addresses].sort().join()
    let agent = this.#agents.get(key)
    if (agent === undefined) {
      agent = this.#open(networks(addresses))
      this.#agents.set(key, agent)
    }
    return agent
  }

  /** Ends every connection. */
  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.destroy()))
  }

  #open(listed: BlockList): UndiciAgent {
    const { connections, connectMs, headMs, idleMs, keepAliveMs } = this.#limits
    return new this.#undici.Agent({
      connections,
      pipelining: 1,
      headersTimeout: headMs,
      bodyTimeout: idleMs,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      maxHeaderSize: HEAD_BYTES_MAX,
      connect: this.#connector(listed, connectMs),
    })
  }

  #connector(listed: BlockList, timeout: number): Connector {
    const lookup = (hostname: string, options: { all?: boolean }, done: LookupDone): void => {
      this.#resolve(hostname).then(
        (found) => {
          const reachable = found.filter(({ address }) => mayReach(listed, address))
          const [first] = reachable
          if (first === undefined)
            done(found.length === 0 ? noSuchName() : new AddressError(refusal(found[0]!.address)))
          else if (options.all === true) done(null, reachable)
          else done(null, first.address, first.family)
        },
        () => done(noSuchName()),
      )
    }
    const connect = this.#undici.buildConnector({ timeout, lookup, autoSelectFamily: true } as never)
    return (options, callback) => {
      const literal = options.hostname.replace(/^\[|\]$/g, '')
      // Of an address nothing is looked up.
      if (isIP(literal) !== 0 && !mayReach(listed, literal)) {
        queueMicrotask(() => callback(new AddressError(refusal(literal)), null))
        return
      }
      connect(options, (...result) => {
        const socket = result[1] as Socket | null | undefined
        if (socket) {
          this.openSockets++
          socket.once('close', () => {
            this.openSockets--
          })
        }
        callback(...result)
      })
    }
  }
}

type LookupDone = (
  error: Error | null,
  address?: string | readonly ResolvedAddress[],
  family?: number,
) => void

function mayReach(listed: BlockList, address: string): boolean {
  return specialKind(address) === undefined || isListed(listed, address)
}

/** It names no address: what a name of the operator's resolves to is not its function's business. */
function refusal(address: string): string {
  return `the host has a ${specialKind(address) ?? 'special'} address that functions[].fetch.addresses does not list`
}

function noSuchName(): Error {
  return Object.assign(new Error('the name of the host cannot be resolved'), { code: 'ENOTFOUND' })
}

/** What the codes of failed connections are in words; others are not told apart. */
const REASONS: Record<string, string> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ENOTFOUND: 'the name of the host cannot be resolved',
  EPIPE: 'the connection was closed',
  ETIMEDOUT: 'the connection took too long',
  UND_ERR_CONNECT_TIMEOUT: 'the connection took longer than fetch.connectMs',
  UND_ERR_HEADERS_TIMEOUT: 'the response did not begin within fetch.headMs',
  UND_ERR_BODY_TIMEOUT: 'the response did not go on within fetch.idleMs',
  UND_ERR_HEADERS_OVERFLOW: 'the head of the response is too long',
  UND_ERR_SOCKET: 'the connection was closed',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the response is not as long as it says',
}

/** A failure of the network's as the guest sees it: nothing of addresses, ports or local paths. */
export function networkError(error: unknown): CallError {
  if (error instanceof CallError) return error
  const { code = '', errors } = error as { code?: string; errors?: readonly { code?: string }[] }
  // Of several addresses the first one's failure stands for all.
  const known = REASONS[code] === undefined ? (errors?.[0]?.code ?? code) : code
  if (error instanceof AddressError) {
    return new CallError('TypeError', 'fetch failed', { code: error.code, message: error.message })
  }
  if (/^(CERT_|ERR_TLS|ERR_SSL|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO)/.test(known)) {
    return new CallError('TypeError', 'fetch failed', {
      code: known,
      message: 'the certificate is not accepted',
    })
  }
  const message = REASONS[known] ?? 'the response cannot be read'
  return new CallError('TypeError', 'fetch failed', {
    code: REASONS[known] === undefined ? 'EPROTO' : known,
    message,
  })
}
