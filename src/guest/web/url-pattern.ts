import { URLPattern } from 'urlpattern-polyfill/urlpattern'
import { finishInterface } from './webidl.ts'

// The library's own addition.
Reflect.deleteProperty(URLPattern, 'compareComponent')
finishInterface(URLPattern, 'URLPattern')

/** URL Pattern, section 1.2: the library's class, with the shape of an interface. */
export { URLPattern }
