// The tenants of `bench noisy`: a quiet one, and what its neighbours do.

/** What a function gets that says nothing else: the default limits, 50 ms of processor time among them. */
export const FUNCTIONS = [
  { name: 'quiet', routes: ['/quiet'], code: 'export default () => Response.json({ quiet: true })' },
  { name: 'cpu', routes: ['/cpu'], code: 'export default () => { for (;;) {} }' },
  {
    name: 'busy',
    routes: ['/busy'],
    code: 'export default () => { const end = Date.now() + 40; while (Date.now() < end) {} return Response.json({ busy: true }) }',
  },
  {
    name: 'memory',
    routes: ['/memory'],
    code: 'export default () => { const kept = []; for (;;) kept.push(new Uint8Array(1 << 20).fill(1)) }',
  },
  {
    name: 'hang',
    routes: ['/hang'],
    code: "export default () => Response.text(String((new Array(1e9) + '').length))",
  },
  {
    name: 'huge',
    routes: ['/huge'],
    code: "const text = 'x'.repeat(4_000_000); export default () => Response.text(text)",
  },
  {
    name: 'upload',
    routes: ['/upload'],
    code: 'export default async (request) => Response.text(String((await request.text()).length))',
  },
]

/** Each neighbour: its requests, on how many connections, and which answers it may get. */
export const NEIGHBOURS = [
  { name: 'burns its 50 ms, 8 connections', path: '/cpu', connections: 8, statuses: [503] },
  { name: 'takes 40 ms and answers, 8 connections', path: '/busy', connections: 8, statuses: [200, 503] },
  { name: 'fills its memory, 8 connections', path: '/memory', connections: 8, statuses: [503] },
  { name: 'hangs its thread, 2 connections', path: '/hang', connections: 2, statuses: [502, 503] },
  { name: 'answers 4 MB, 8 connections', path: '/huge', connections: 8, statuses: [200] },
  {
    name: 'uploads slowly, 64 connections',
    path: '/upload',
    connections: 64,
    bodyBytes: 256 * 1024,
    pieceBytes: 1024,
    statuses: [200],
  },
]
