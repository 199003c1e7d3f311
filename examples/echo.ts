/** POST /echo answers with the JSON it was sent, and what else was seen of the request. */
export default {
  async fetch(request: Request): Promise<Response> {
    if (request.method !== 'POST') {
      return Response.json({ error: 'send JSON by POST' }, { status: 405, headers: { allow: 'POST' } })
    }
    try {
      const body: unknown = await request.json()
      return Response.json({ type: request.headers.get('content-type'), body })
    } catch {
      return Response.json({ error: 'the body is not JSON' }, { status: 400 })
    }
  },
}
