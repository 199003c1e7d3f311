// The glue between testharness.js, which stands before this text in the same script, and the runner: run() evaluates one
// test file and reports. In the sandbox it is a function's handler; with --node it runs in a worker thread of Node.js.
// What it needs of the realm is kept here, since test files overwrite and delete globals.
const kept = {
  Response,
  URL,
  Promise,
  setTimeout,
  clearTimeout,
  stringify: JSON.stringify,
  realm: globalThis,
}
const MESSAGE_CHARS_MAX = 400

const define = (name, value) =>
  Object.defineProperty(kept.realm, name, { value, writable: true, enumerable: false, configurable: true })

/**
 * @param {{ sources: string[], url: string, aliases: string[], resources: Record<string, string>, timeoutMs: number }} file
 *   `sources`: the scripts it names, then itself. `aliases`: further names for the global object and its interface.
 *   `resources`: what `fetch` answers, by path.
 * @returns {Promise<{ status: number, message: string, tests: [name: string, status: number, message: string][] }>}
 */
function run({ sources, url, aliases, resources, timeoutMs }) {
  const location = new kept.URL(url)
  define('GLOBAL', { isWindow: () => false, isWorker: () => false, isShadowRealm: () => false })
  define('location', location)
  define('importScripts', () => {})
  define('fetch', (path) => fetchFrom(resources, new kept.URL(path, location)))
  if (aliases.includes('window')) define('window', kept.realm)
  if (aliases.includes('Window')) define('Window', Object.getPrototypeOf(kept.realm).constructor)
  return new kept.Promise((resolve) => {
    let error
    let finishes = false
    add_completion_callback((tests, status) => {
      kept.clearTimeout(timer)
      resolve({
        status: error === undefined ? status.status : 1,
        message: text(error ?? status.message),
        tests: tests.map((test) => [test.name, test.status, text(test.message)]),
      })
    })
    // The file says itself when it is done only if it has asked for that.
    const { setup } = kept.realm
    setup({ explicit_done: true })
    define('setup', (...args) => {
      if (args.some((arg) => arg?.explicit_done || arg?.single_test)) finishes = true
      return setup(...args)
    })
    const timer = kept.setTimeout(kept.realm.timeout, timeoutMs)
    const { done } = kept.realm
    try {
      evaluate(sources)
    } catch (thrown) {
      error = `${thrown}\n${thrown?.stack ?? ''}`
    }
    if (!finishes || error !== undefined) done()
  })
}

/** As scripts of one page would be: each sees the `let`, `const` and `class` of those before. */
function evaluate(sources) {
  let next = 0
  define('__wptNext', () => {
    const source = sources[next++]
    return next < sources.length ? `${source}\n;eval(__wptNext())` : source
  })
  // biome-ignore lint/security/noGlobalEval: a test file is a script of the realm.
  const evalInRealm = eval
  evalInRealm(kept.realm.__wptNext())
}

async function fetchFrom(resources, url) {
  const content = resources[url.pathname]
  if (content === undefined) throw new TypeError(`the runner has no ${url.pathname}`)
  return new kept.Response(content)
}

function text(message) {
  return message === null || message === undefined ? '' : `${message}`.slice(0, MESSAGE_CHARS_MAX)
}

exports.run = run
exports.default = async (request) =>
  new kept.Response(kept.stringify(await run(await request.json())), {
    headers: { 'content-type': 'application/json' },
  })
