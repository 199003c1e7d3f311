// Injected into the packages of which Node's modules for functions are made: their free `process` is that of node:process.
export { default as process } from 'node:process'
