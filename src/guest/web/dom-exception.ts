import { defineProperty, stringIndexOf, stringSlice } from '../primordials.ts'
import { finishInterface } from './webidl.ts'

/** WebIDL, section 2.8.1: the names that have a legacy code in the order of their codes from 1, without `Error`; a number is a constant's only. */
const CODES = (
  'IndexSize,DOMSTRING_SIZE_ERR,HierarchyRequest,WrongDocument,InvalidCharacter,NO_DATA_ALLOWED_ERR,' +
  'NoModificationAllowed,NotFound,NotSupported,InUseAttribute,InvalidState,Syntax,InvalidModification,Namespace,' +
  'InvalidAccess,VALIDATION_ERR,TypeMismatch,Security,Network,Abort,URLMismatch,QuotaExceeded,Timeout,InvalidNodeType,DataClone'
).split(',')

const ErrorOfRealm = Error
const { setPrototypeOf } = Object

/** A constructor that gives back its argument, so that a class above it puts its private fields on any object. */
const Same = function (this: object, target: object): object {
  return target
} as unknown as new (
  target: object,
) => object

let stateOf: (value: unknown) => { readonly name: string; readonly message: string }

class State extends Same {
  readonly #state: { readonly name: string; readonly message: string }

  constructor(target: object, message: string, name: string) {
    super(target)
    this.#state = { name, message }
  }

  static {
    stateOf = (value) => (value as State).#state
  }
}

/** WebIDL, section 2.8: an error object by its nature (it has a stack), though its class does not extend Error. */
export class DOMException {
  declare readonly stack: string

  constructor(message: unknown = '', name: unknown = 'Error') {
    const text = `${message}`
    const error = new ErrorOfRealm()
    const { stack } = error
    // Its first line is this constructor.
    if (typeof stack === 'string')
      defineProperty(error, 'stack', { value: stringSlice(stack, stringIndexOf(stack, '\n') + 1) })
    setPrototypeOf(error, new.target.prototype)
    // biome-ignore lint/correctness/noConstructorReturn: an object that has the nature of an error
    return new State(error, text, `${name}`) as unknown as DOMException
  }

  get name(): string {
    return stateOf(this).name
  }

  get message(): string {
    return stateOf(this).message
  }

  get code(): number {
    const { name } = stateOf(this)
    for (let i = 0; i < CODES.length; i++) if (`${CODES[i]}Error` === name) return i + 1
    return 0
  }
}
setPrototypeOf(DOMException.prototype, ErrorOfRealm.prototype)
finishInterface(DOMException, 'DOMException')

CODES.forEach((name, index) => {
  const constant = name.endsWith('_ERR')
    ? name
    : `${name
        .replace(/[a-z](?=[A-Z])|URL(?=M)/g, '$&_')
        .replace('In_Use', 'INUSE')
        .toUpperCase()}_ERR`
  for (const owner of [DOMException, DOMException.prototype]) {
    Object.defineProperty(owner, constant, { value: index + 1, enumerable: true })
  }
})

/** What a clone of it is made of (HTML, structured clone); undefined for what is none. */
export function exceptionParts(value: object): { name: string; message: string } | undefined {
  try {
    return stateOf(value)
  } catch {
    return undefined
  }
}
