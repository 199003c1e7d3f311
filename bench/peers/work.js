// The work of every peer, as plain functions: none of them knows a server's API. Each peer's file is the few lines that this takes
// to be served there.

const PRIMES_BELOW = 10_000
const LATER_MS = 2
const ROWS = 40

function countPrimes(limit) {
  const sieve = new Uint8Array(limit)
  let count = 0
  for (let i = 2; i < limit; i++) {
    if (sieve[i] === 1) continue
    count++
    for (let j = i * i; j < limit; j += i) sieve[j] = 1
  }
  return count
}

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeHtml = (text) => text.replace(/[&<>"]/g, (character) => ENTITIES[character])

function page() {
  const rows = Array.from(
    { length: ROWS },
    (_, i) =>
      `<tr><td>${i}</td><td>${escapeHtml(`Article <${i}> & "more"`)}</td><td>${(19.99 + i).toFixed(2)}</td></tr>`,
  )
  return `<!doctype html><title>Orders</title><table>${rows.join('')}</table>`
}

function order(text) {
  const { order, customer, items } = JSON.parse(text)
  return JSON.stringify({ order, name: customer.name, items: items.length })
}

/** The answer's text, or a promise of it. `later`: resolves after so many milliseconds. */
export function answer(path, body, later) {
  if (path === '/order') return order(body)
  if (path === '/compute') return `{"primes":${countPrimes(PRIMES_BELOW)}}`
  if (path === '/page') return page()
  if (path === '/later') return later(LATER_MS).then(() => JSON.stringify({ later: true }))
  return JSON.stringify({ hello: 'world' })
}

/** Content-Type of the answer. */
export const typeOf = (path) => (path === '/page' ? 'text/html;charset=UTF-8' : 'application/json')
