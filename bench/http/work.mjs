/** The work of both cases, the same for every peer: what is asked, and what must be answered. */

const items = Array.from({ length: 13 }, (_, at) => ({
  id: 1000 + at,
  name: `Article ${at} of the order`,
  price: 19.99 + at,
  count: at + 1,
}))

/** About 1 KB of JSON, as a webhook would send it. */
const ORDER = JSON.stringify({
  order: 4711,
  customer: {
    id: 42,
    name: 'Ada Lovelace',
    mail: 'ada@ringlet.test',
    address: ['1 Analytical Street', 'London'],
  },
  items,
})

export const CASES = [
  { name: 'hello-json', path: '/', body: undefined, answer: '{"hello":"world"}' },
  {
    name: 'post-1kb',
    path: '/order',
    body: ORDER,
    answer: JSON.stringify({ order: 4711, name: 'Ada Lovelace', items: items.length }),
  },
]
