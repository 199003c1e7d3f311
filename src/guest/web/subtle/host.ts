// The ways from `crypto.subtle` to its host, and what it says when an operation fails.
import { host } from '../../bridge.ts'
import { OP } from '../../ops.ts'
import { bufferSlice } from '../../primordials.ts'
import { DOMException } from '../dom-exception.ts'

type Argument = number | string | ArrayBuffer

const fail = (name: string, message: string): DOMException => new DOMException(message, name)
export const notSupported = (message: string) => fail('NotSupportedError', message)
export const invalidAccess = (message: string) => fail('InvalidAccessError', message)
export const operationError = (message: string) => fail('OperationError', message)
export const dataError = (message: string) => fail('DataError', message)
export const syntaxError = (message: string) => fail('SyntaxError', message)

/** An operation of SUBTLE; undefined when the host has not done it. */
export function ask(what: number, ...values: Argument[]): unknown {
  return host(OP.SUBTLE, what, ...values)
}

/** An operation that gives bytes. @throws OperationError when it cannot be done. */
export function askBytes(what: number, ...values: Argument[]): ArrayBuffer {
  const result = ask(what, ...values)
  if (result === undefined) throw operationError('the operation failed')
  return result as ArrayBuffer
}

export const byteLength = (bytes: ArrayBuffer): number => new Uint8Array(bytes).length

/** The byte strings of a LIST (subtle-ops.ts). */
export function unpack(list: ArrayBuffer): ArrayBuffer[] {
  const view = new DataView(list)
  const parts: ArrayBuffer[] = []
  for (let at = 0; at < view.byteLength; ) {
    const end = at + 4 + view.getUint32(at, true)
    parts.push(bufferSlice(list, at + 4, end))
    at = end
  }
  return parts
}

export function encodeText(text: string): ArrayBuffer {
  return host(OP.TEXT_ENCODE, text) as ArrayBuffer
}

/** UTF-8, or undefined. */
export function decodeText(bytes: ArrayBuffer): string | undefined {
  const text = host(OP.TEXT_DECODE, bytes)
  return typeof text === 'string' ? text : undefined
}
