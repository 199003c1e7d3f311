/** @jsxImportSource ./html */

const EXAMPLES = [
  ['/hello', 'JSON, the smallest function'],
  ['/echo', 'POST some JSON and get it back'],
  ['/delay?ms=250', 'an asynchronous function with a timer'],
  ['/greet/Ada', 'plain JavaScript, a route with a prefix'],
] as const

/** GET / lists the other examples. Made once, when the function is loaded. */
const page = (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <title>Ringlet</title>
    </head>
    <body>
      <h1>Ringlet is running</h1>
      <p>These example functions are served. Each lives in a sandbox of its own.</p>
      <ul>
        {EXAMPLES.map(([path, text]) => (
          <li>
            <a href={path}>{path}</a>: {text}
          </li>
        ))}
      </ul>
    </body>
  </html>
)

export default {
  fetch(): Response {
    return Response.html(`<!doctype html>${page}`)
  },
}
