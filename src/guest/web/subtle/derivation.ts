// Keys and bits from a secret: HKDF and PBKDF2.
import { hostAsync } from '../../async.ts'
import { ASYNC_OP } from '../../ops.ts'
import { SUBTLE } from '../../subtle-ops.ts'
import type { Algorithm, Operations } from './algorithm.ts'
import { checkUsages } from './checks.ts'
import { hash } from './hash.ts'
import { askBytes, notSupported, operationError, syntaxError } from './host.ts'
import { toBytes, unsignedLong } from './idl.ts'
import { newKey, type Usage } from './key.ts'

const USAGES: readonly Usage[] = ['deriveKey', 'deriveBits']

/** Their keys are bytes that nobody gets back. */
function inputKey(name: string): Pick<Operations, 'importKey' | 'getKeyLength'> {
  return {
    importKey: {
      params: [],
      run(_, format, given, extractable, usages) {
        if (format !== 'raw') throw notSupported(`a key for ${name} has no format ${format}`)
        checkUsages(usages, USAGES)
        if (extractable) throw syntaxError(`a key for ${name} cannot be extractable`)
        return newKey('secret', false, { name }, usages, USAGES, given as ArrayBuffer)
      },
    },
    getKeyLength: { params: [], run: () => null },
  }
}

function wholeBytes(bits: number | null): number {
  if (bits === null || bits % 8 !== 0) throw operationError('the length must be a multiple of 8')
  return bits / 8
}

export const hkdf: Algorithm = {
  name: 'HKDF',
  ...inputKey('HKDF'),
  deriveBits: {
    params: [
      ['hash!', hash],
      ['info!', toBytes],
      ['salt!', toBytes],
    ],
    run(params, { data }, bits) {
      const [info, salt] = [params['info'] as ArrayBuffer, params['salt'] as ArrayBuffer]
      return askBytes(SUBTLE.HKDF, params['hash'] as string, data, salt, info, wholeBytes(bits))
    },
  },
}

export const pbkdf2: Algorithm = {
  name: 'PBKDF2',
  ...inputKey('PBKDF2'),
  deriveBits: {
    params: [
      ['hash!', hash],
      ['iterations!', unsignedLong],
      ['salt!', toBytes],
    ],
    run({ hash: name, iterations, salt }, { data }, bits) {
      const count = wholeBytes(bits)
      if (iterations === 0) throw operationError('iterations must not be 0')
      if (count === 0) return new ArrayBuffer(0)
      const rounds = iterations as number
      return hostAsync(
        ASYNC_OP.PBKDF2,
        name as string,
        data,
        salt as ArrayBuffer,
        rounds,
        count,
      ) as Promise<ArrayBuffer>
    },
  },
}
