// GET /greet/Ada. Plain JavaScript; its route is a prefix.
export function handler(request) {
  const { pathname } = new URL(request.url)
  const name = decodeURIComponent(pathname.slice('/greet/'.length)) || 'stranger'
  return Response.text(`Hello, ${name}!\n`)
}
