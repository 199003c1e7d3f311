import { finishInterface } from './webidl.ts'

/** WebIDL, section 2.8.1: the error names that have a legacy code, in the order of their codes from 1 (gaps are ''). */
const CODES = [
  'IndexSizeError,,HierarchyRequestError,WrongDocumentError,InvalidCharacterError,,NoModificationAllowedError',
  'NotFoundError,NotSupportedError,InUseAttributeError,InvalidStateError,SyntaxError,InvalidModificationError',
  'NamespaceError,InvalidAccessError,,TypeMismatchError,SecurityError,NetworkError,AbortError,URLMismatchError',
  'QuotaExceededError,TimeoutError,InvalidNodeTypeError,DataCloneError',
]
  .join(',')
  .split(',')

export class DOMException extends Error {
  readonly #name: string

  constructor(message = '', name = 'Error') {
    super(`${message}`)
    this.#name = `${name}`
  }

  override get name(): string {
    return this.#name
  }

  get code(): number {
    return CODES.indexOf(this.#name) + 1
  }
}
finishInterface(DOMException, 'DOMException')

CODES.forEach((name, index) => {
  if (name === '') return
  const constant = `${name
    .replace(/Error$/, '')
    .replace(/[a-z](?=[A-Z])|URL(?=M)/g, '$&_')
    .toUpperCase()}_ERR`
  for (const owner of [DOMException, DOMException.prototype]) {
    Object.defineProperty(owner, constant, { value: index + 1, enumerable: true })
  }
})
