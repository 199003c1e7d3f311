const FUNCTIONS = 900

const lines = Array.from(
  { length: FUNCTIONS },
  (_, i) =>
    `function f${i}(a, b) { const x = a * ${i} + b; return x > ${i * 7} ? { x, name: 'f${i}' } : [x, b] }`,
)
const used = Array.from({ length: FUNCTIONS }, (_, i) => `f${i}`).join(', ')

/** A handler with some 100 KB of live code, as a bundle with its dependencies is: a script that leaves `handler` behind. */
export const SCRIPT = `${lines.join('\n')}
const table = [${used}]
function handler(path) { return JSON.stringify({ hello: 'world', functions: table.length, one: table[7](1, 2) }) }`

/** What it answers. */
export const ANSWER = `{"hello":"world","functions":${FUNCTIONS},"one":[9,2]}`
