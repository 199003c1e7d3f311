import { describe, expect, it } from 'vitest'
import { json, problems, type Sources } from './support.ts'

const one = (extra: object) => json({ functions: [{ name: 'a', code: 'x', routes: ['/a'], ...extra }] })
const functions = (...extra: object[]) =>
  json({ functions: extra.map((each, i) => ({ name: `f${i}`, code: 'x', routes: [`/${i}`], ...each })) })

const LINES: readonly [title: string, sources: Sources, ...lines: string[]][] = [
  // Flags
  [
    'flag below its bound',
    { argv: ['--cores', '0'] },
    '--cores: cores is 0, must be a whole number from 1 to 256',
  ],
  [
    'flag of a wrong type',
    { argv: ['--port', 'http'] },
    '--port: port is "http", must be a whole number from 0 to 65535',
  ],
  [
    'negative number',
    { argv: ['--port', '-1'] },
    '--port: port is -1, must be a whole number from 0 to 65535',
  ],
  [
    'no hexadecimal',
    { argv: ['--port=0x50'] },
    '--port: port is "0x50", must be a whole number from 0 to 65535',
  ],
  [
    'empty flag',
    { argv: ['--host='] },
    '--host: host is "", must be an address or a name of 1 to 255 characters',
  ],
  [
    'flag outside its set',
    { argv: ['--isolation', 'none'] },
    '--isolation: isolation is "none", must be one of reuse, bounded, request',
  ],
  [
    'log level',
    { argv: ['--log-level', 'loud'] },
    '--log-level: log.level is "loud", must be one of trace, debug, info, warn, error, fatal, silent',
  ],
  [
    'access log',
    { argv: ['--access-log', 'yes'] },
    '--access-log: log.access is "yes", must be one of off, on, sampled',
  ],
  ['static without a folder', { argv: ['--static', ''] }, '--static: the name of the folder is empty'],
  [
    'static from the environment',
    { env: { RINGLET_STATIC: 'public' } },
    'RINGLET_STATIC: static can only be set in a configuration file, or by --static',
  ],
  [
    'two static routes alike',
    json({ static: [{ dir: 'a' }, { dir: 'b' }] }),
    'ringlet.json: static[1].route "/*" is the route of static[0] too',
  ],
  [
    'a static route that is no prefix',
    json({ static: [{ dir: 'a', route: '/assets' }] }),
    'ringlet.json: static[0].route is "/assets", must be a path that starts with / and ends in /*, percent-encoded, of 1 to 1024 characters',
  ],
  [
    'files of a function and a variable of the same name',
    json({
      functions: [
        { name: 'a', code: '1', routes: ['/a'], assets: { dir: 'public' }, env: { ASSETS: 'SECRET' } },
      ],
    }),
    'ringlet.json: functions[0].env.ASSETS is set, must not be: functions[0].assets (dir "public") takes that name in env',
  ],
  [
    'files of a function without their folder',
    json({ functions: [{ name: 'a', code: '1', routes: ['/a'], assets: {} }] }),
    'ringlet.json: functions[0].assets.dir is missing, must be a path of 1 to 4096 characters',
  ],
  [
    'files of a function with a route',
    json({ functions: [{ name: 'a', code: '1', routes: ['/a'], assets: { dir: 'a', route: '/*' } }] }),
    'ringlet.json: unknown key functions[0].assets.route',
  ],
  [
    'a static route without its folder',
    json({ static: [{ route: '/*' }] }),
    'ringlet.json: static[0].dir is missing, must be a path of 1 to 4096 characters',
  ],
  [
    'a field that the server writes itself',
    json({ static: [{ dir: 'a', headers: { 'Content-Length': '1' } }] }),
    'ringlet.json: static[0].headers.Content-Length has a name that must be the name of a field that the server does not write itself',
  ],
  [
    'a field value with a line end',
    json({ static: [{ dir: 'a', headers: { 'x-a': 'b\r\nc: d' } }] }),
    'ringlet.json: static[0].headers.x-a is "b\\r\\nc: d", must be a field value (visible characters, spaces within) of 1 to 1024 characters',
  ],
  [
    'a fallback outside of its folder',
    json({ static: [{ dir: 'a', spaFallback: 'x/../../b' }] }),
    'ringlet.json: static[0].spaFallback is "x/../../b", must be a path below dir of 1 to 1024 characters',
  ],
  ['unknown flag', { argv: ['--prot', '1'] }, "unknown option '--prot' (did you mean --port?)"],
  ['unknown flag, nothing near', { argv: ['--zzzzzzz'] }, "unknown option '--zzzzzzz'"],
  ['flag without its value', { argv: ['--port'] }, "option '--port <number>' argument missing"],
  ['two handlers', { argv: ['a.ts', 'b.ts'] }, 'too many arguments. Expected 1 argument but got 2.'],
  ['handler and --eval', { argv: ['a.ts', '-e', 'x'] }, 'a.ts: a handler file and --eval exclude each other'],
  [
    'handler and functions',
    { argv: ['a.ts'], ...one({}) },
    'a handler file and functions of the configuration file exclude each other',
  ],
  [
    '--eval and functions',
    { argv: ['-e', 'x'], ...one({}) },
    '--eval and functions of the configuration file exclude each other',
  ],
  [
    'empty --eval',
    { argv: ['-e', ''] },
    '--eval: functions[0].code is a string of 0 characters, must be text of 1 to 1048576 characters',
  ],
  ['empty handler', { argv: [''] }, 'the name of the handler file is empty'],
  // Environment
  [
    'variable out of bounds',
    { env: { RINGLET_LIMITS_CPU_MS: '0' } },
    'RINGLET_LIMITS_CPU_MS: limits.cpuMs is 0, must be a whole number from 1 to 60000',
  ],
  [
    'empty variable',
    { env: { RINGLET_PORT: '' } },
    'RINGLET_PORT: port is "", must be a whole number from 0 to 65535',
  ],
  [
    'number with a space',
    { env: { RINGLET_PORT: '80 ' } },
    'RINGLET_PORT: port is "80 ", must be a whole number from 0 to 65535',
  ],
  [
    'unknown variable',
    { env: { RINGLET_LIMIT_CPU_MS: '5' } },
    'unknown variable RINGLET_LIMIT_CPU_MS (did you mean RINGLET_LIMITS_CPU_MS?)',
  ],
  [
    'unknown variable, value unseen',
    { env: { RINGLET_API_TOKEN: 'hunter2' } },
    'unknown variable RINGLET_API_TOKEN',
  ],
  [
    'functions as a variable',
    { env: { RINGLET_FUNCTIONS: '[]' } },
    'RINGLET_FUNCTIONS: functions can only be set in a configuration file',
  ],
  // File: where it is, and whether it can be read
  ['no such file', { argv: ['--config', 'x.json'] }, 'x.json: there is no such configuration file'],
  [
    'no such file, by variable',
    { env: { RINGLET_CONFIG: 'x.toml' } },
    'x.toml: there is no such configuration file',
  ],
  [
    'two files',
    { files: { 'ringlet.json': '{}', 'ringlet.toml': '' } },
    'more than one configuration file: ringlet.json, ringlet.toml; keep one, or say which with --config',
  ],
  [
    'neither JSON nor TOML',
    { argv: ['--config', 'a.yaml'], files: { 'a.yaml': 'port: 1' } },
    'a.yaml: a configuration file must end in .json or .toml',
  ],
  [
    'no JSON',
    { files: { 'ringlet.json': '{\n  "port": 80,\n  "token": hunter2\n}' } },
    'ringlet.json: not valid JSON at line 3, column 12',
  ],
  [
    'no TOML',
    { files: { 'ringlet.toml': 'port = 80\ntoken = hunter2\n' } },
    'ringlet.toml: not valid TOML at line 2, column 9: invalid value',
  ],
  [
    'a list',
    { files: { 'ringlet.json': '[]' } },
    'ringlet.json: the configuration is a list, must be an object',
  ],
  [
    'null',
    { files: { 'ringlet.json': 'null' } },
    'ringlet.json: the configuration is null, must be an object',
  ],
  // File: keys
  ['unknown key', json({ prot: 1 }), 'ringlet.json: unknown key prot (did you mean port?)'],
  [
    'unknown key in a section',
    json({ limits: { cpuMillis: 1 } }),
    'ringlet.json: unknown key limits.cpuMillis',
  ],
  [
    'other spelling',
    json({ limits: { cpu_ms: 1 } }),
    'ringlet.json: unknown key limits.cpu_ms (did you mean cpuMs?)',
  ],
  [
    'key of another section',
    json({ cpuMs: 1 }),
    'ringlet.json: unknown key cpuMs (did you mean limits.cpuMs?)',
  ],
  ['key of a prototype', json({ toString: 1 }), 'ringlet.json: unknown key toString'],
  [
    '__proto__',
    { files: { 'ringlet.json': '{"__proto__": {"port": 1}}' } },
    'ringlet.json: unknown key __proto__',
  ],
  ['key with a line end', json({ 'a\nb\u001b[2J': 1 }), 'ringlet.json: unknown key ["a\\nb\\u001b[2J"]'],
  ['section that is none', json({ limits: 5 }), 'ringlet.json: limits is a number, must be an object'],
  ['section that is a list', json({ limits: [] }), 'ringlet.json: limits is a list, must be an object'],
  ['section that is null', json({ log: null }), 'ringlet.json: log is null, must be an object'],
  [
    'text for a number',
    json({ port: '80' }),
    'ringlet.json: port is "80", must be a whole number from 0 to 65535',
  ],
  [
    'null for a number',
    json({ port: null }),
    'ringlet.json: port is null, must be a whole number from 0 to 65535',
  ],
  [
    'fraction for a whole number',
    json({ port: 80.5 }),
    'ringlet.json: port is 80.5, must be a whole number from 0 to 65535',
  ],
  [
    'object for a number',
    json({ port: {} }),
    'ringlet.json: port is an object, must be a whole number from 0 to 65535',
  ],
  [
    'TOML date',
    { files: { 'ringlet.toml': 'port = 2020-01-01' } },
    'ringlet.toml: port is a date, must be a whole number from 0 to 65535',
  ],
  [
    'TOML infinity',
    { files: { 'ringlet.toml': '[ring]\nhighWatermark = inf' } },
    'ringlet.toml: ring.highWatermark is Infinity, must be a number from 0.01 to 1',
  ],
  [
    'long text',
    json({ host: `a ${'b'.repeat(100)}` }),
    `ringlet.json: host is "a ${'b'.repeat(38)}…", must be an address or a name of 1 to 255 characters`,
  ],
  [
    'no power of two',
    json({ ring: { requestBytes: 1_000_000 } }),
    'ringlet.json: ring.requestBytes is 1000000, must be a power of two from 65536 to 268435456',
  ],
  [
    'no whole page',
    json({ limits: { memoryBytes: 33_000_000 } }),
    'ringlet.json: limits.memoryBytes is 33000000, must be a multiple of 65536 from 20971520 to 1073741824',
  ],
  // Functions
  [
    'functions that is no list',
    json({ functions: {} }),
    'ringlet.json: functions is an object, must be a list of 0 to 10000',
  ],
  [
    'function that is none',
    json({ functions: [5] }),
    'ringlet.json: functions[0] is a number, must be an object',
  ],
  [
    'function with nothing',
    json({ functions: [{}] }),
    'ringlet.json: functions[0].name is missing, must be small letters, digits, _ and - (a letter or digit first) of 1 to 64 characters',
    'ringlet.json: functions[0].routes is missing, must be a list of 1 to 100',
  ],
  [
    'neither file nor code',
    one({ code: undefined }),
    'ringlet.json: functions[0] has neither file nor code, must have one',
  ],
  [
    'file and code',
    one({ file: 'a.ts' }),
    'ringlet.json: functions[0] has both file and code, must have one',
  ],
  [
    'bad name',
    one({ name: 'Hello' }),
    'ringlet.json: functions[0].name is "Hello", must be small letters, digits, _ and - (a letter or digit first) of 1 to 64 characters',
  ],
  [
    'unknown key of a function',
    one({ route: '/' }),
    'ringlet.json: unknown key functions[0].route (did you mean routes?)',
  ],
  [
    'unknown limit of a function',
    one({ limits: { headBytes: 1 } }),
    'ringlet.json: unknown key functions[0].limits.headBytes',
  ],
  [
    'limit of a function',
    one({ limits: { cpuMs: 0 } }),
    'ringlet.json: functions[0].limits.cpuMs is 0, must be a whole number from 1 to 60000',
  ],
  [
    'no routes',
    one({ routes: [] }),
    'ringlet.json: functions[0].routes is a list of 0, must be a list of 1 to 100',
  ],
  [
    'same name',
    functions({ name: 'a' }, { name: 'a' }),
    'ringlet.json: functions[1].name "a" is the name of functions[0] too',
  ],
  [
    'same route',
    functions({ routes: ['/a'] }, { routes: ['/b', '/a'] }),
    'ringlet.json: functions[1].routes[1] "/a" is the same route as functions[0].routes[0]',
  ],
  [
    'same route twice',
    one({ routes: ['/a', '/a'] }),
    'ringlet.json: functions[0].routes[1] "/a" is the same route as functions[0].routes[0]',
  ],
  // Secrets
  [
    'env that is text',
    one({ env: 'hunter2' }),
    'ringlet.json: functions[0].env is a string of 7 characters, must be an object of at most 256 texts',
  ],
  [
    'env with a number',
    one({ env: { PIN: 1234 } }),
    'ringlet.json: functions[0].env.PIN is a number, must be text of at most 65536 characters',
  ],
  [
    'env with a bad name',
    one({ env: { '1A': 'hunter2' } }),
    'ringlet.json: functions[0].env["1A"] has a name that must be letters, digits and _ (no digit first) of 1 to 128 characters',
  ],
  [
    'env with a reserved name',
    {
      files: {
        'ringlet.json':
          '{"functions":[{"name":"a","code":"x","routes":["/"],"env":{"__proto__":"hunter2"}}]}',
      },
    },
    'ringlet.json: functions[0].env.__proto__ has a reserved name',
  ],
  [
    'printed env fed back',
    one({ env: { KEY: '[redacted]' } }),
    'ringlet.json: functions[0].env.KEY is [redacted] by --print-config; put its value back',
  ],
  [
    'code that is no text',
    one({ code: ['hunter2'] }),
    'ringlet.json: functions[0].code is a list of 1, must be text of 1 to 1048576 characters',
  ],
  // Bounds between keys
  [
    'watermarks',
    json({ ring: { lowWatermark: 0.8 } }),
    'ring.lowWatermark (0.8, ringlet.json) must be less than ring.highWatermark (0.75, default)',
  ],
  [
    'read in ring',
    json({ ring: { requestBytes: 131_072 } }),
    'acceptor.readBufferBytes (65536, default) must be at most half of ring.requestBytes (131072, ringlet.json), less 256',
  ],
  [
    'answer head in ring',
    { env: { RINGLET_RING_RESPONSE_BYTES: '65536' } },
    'limits.responseHeadBytes (32768, default) must be at most half of ring.responseBytes (65536, RINGLET_RING_RESPONSE_BYTES), less 256',
  ],
  [
    'read in window',
    json({ connection: { receiveWindowBytes: 40_000 } }),
    'acceptor.readBufferBytes (65536, default) must be at most connection.receiveWindowBytes (40000, ringlet.json)',
  ],
  [
    'target in head',
    json({ limits: { targetBytes: 16_384 } }),
    'limits.targetBytes (16384, ringlet.json) must be less than limits.headBytes (16384, default)',
  ],
  [
    'head in window',
    json({ limits: { headBytes: 200_000 } }),
    'limits.headBytes (200000, ringlet.json) must be at most half of connection.receiveWindowBytes (262144, default)',
  ],
  [
    'prewarmed',
    json({ pool: { prewarm: 65 } }),
    'pool.prewarm (65, ringlet.json) must be at most pool.maxPerFunction (64, default)',
  ],
  [
    'footprints',
    json({ gc: { softBytes: 17_000_000 } }),
    'gc.softBytes (17000000, ringlet.json) must be at most gc.highBytes (16777216, default)',
  ],
  [
    'footprint and memory',
    json({ gc: { highBytes: 70_000_000 } }),
    'gc.highBytes (70000000, ringlet.json) must be at most limits.memoryBytes (67108864, default)',
  ],
  [
    'processor and wall',
    json({ limits: { cpuMs: 500, wallMs: 100 } }),
    'limits.cpuMs (500, ringlet.json) must be at most limits.wallMs (100, ringlet.json)',
  ],
  [
    'body in memory',
    json({ limits: { bodyBytes: 40_000_000, inlineBodyBytes: 41_000_000 } }),
    'limits.bodyBytes (40000000, ringlet.json) must be at most half of limits.memoryBytes (67108864, default)',
  ],
  [
    'body that is awaited, in memory',
    json({ limits: { bodyBytes: 200_000_000, inlineBodyBytes: 40_000_000 } }),
    'limits.inlineBodyBytes (40000000, ringlet.json) must be at most half of limits.memoryBytes (67108864, default)',
  ],
  [
    'answer in memory',
    json({ limits: { responseBytes: 40_000_000 } }),
    'limits.responseBytes (40000000, ringlet.json) must be at most half of limits.memoryBytes (67108864, default)',
  ],
  [
    "a function's own",
    one({ limits: { wallMs: 10 } }),
    'limits.cpuMs (50, default) must be at most functions[0].limits.wallMs (10, ringlet.json)',
  ],
  [
    "a function's memory",
    {
      ...json({
        functions: [
          {
            name: 'a',
            code: 'x',
            routes: ['/'],
            limits: { memoryBytes: 20_971_520, responseBytes: 10_485_761 },
          },
        ],
      }),
    },
    'functions[0].limits.responseBytes (10485761, ringlet.json) must be at most half of functions[0].limits.memoryBytes (20971520, ringlet.json)',
  ],
  // Several
  [
    'from all sources',
    {
      argv: ['--port', 'x'],
      env: { RINGLET_CORES: '0', RINGLET_X: '1' },
      files: { 'ringlet.json': '{"hots":1}' },
    },
    'unknown variable RINGLET_X',
    'ringlet.json: unknown key hots (did you mean host?)',
    '--port: port is "x", must be a whole number from 0 to 65535',
    'RINGLET_CORES: cores is 0, must be a whole number from 1 to 256',
  ],
]

describe('each mistake is one line that names it', () => {
  it.each(LINES)('%s', async (_title, sources, ...lines) => {
    expect(await problems(sources)).toEqual(lines)
  })
})

describe('routes', () => {
  const refused = [
    '',
    'a',
    'a/b',
    '*',
    '/*/a',
    '/a*',
    '/**',
    '/a b',
    '/a?b',
    '/a#b',
    '/ä',
    '/%',
    '/%zz',
    '/a\n',
  ]
  it.each(refused)('%j is refused', async (route) => {
    const [line, ...rest] = await problems(one({ routes: [route] }))
    expect(rest).toEqual([])
    expect(line).toContain(`functions[0].routes[0] is ${JSON.stringify(route)}, must be a path`)
  })
})

it('lists ten problems and counts the rest', async () => {
  const unknown = Object.fromEntries(Array.from({ length: 13 }, (_, i) => [`zzzzzzzzz${i}`, i]))
  const lines = await problems(json(unknown))
  expect(lines).toHaveLength(11)
  expect(lines[9]).toBe('ringlet.json: unknown key zzzzzzzzz9')
  expect(lines[10]).toBe('and 3 more')
})

it('shows no secret, whatever is wrong around it', async () => {
  const secret = 'hunter2'
  const broken = [
    `{"functions":[{"env":{"A":"${secret}"}`,
    `{"functions":[{"env":"${secret}"}]}`,
    `{"functions":{"env":{"A":"${secret}"}}}`,
    `{"functions":[{"environ":{"A":"${secret}"}}]}`,
    `{"functions":[{"env":{"A":["${secret}"]}}]}`,
    `{"functions":[{"env":["${secret}"]}]}`,
    `{"functions":["${secret}"]}`,
    `{"functions":[{"name":"a","routes":["/"],"code":"${secret}","file":"${secret}"}]}`,
    `{"functions":[{"name":"a","routes":["/"],"code":"${secret}\\u0000"}]}`,
    `{"env":{"A":"${secret}"}}`,
    `${secret}`,
  ]
  for (const text of broken) {
    for (const name of ['ringlet.json', 'ringlet.toml']) {
      const lines = await problems({ files: { [name]: text } })
      expect(lines.join('\n')).not.toContain(secret)
    }
  }
})
