const DELAY_MS_MAX = 1000

/** GET /delay?ms=100 answers after a while: other requests are served meanwhile. */
export default async function delay(request: Request): Promise<Response> {
  const asked = Number(new URL(request.url).searchParams.get('ms') ?? 100)
  const delayMs = Math.min(Math.max(0, asked || 0), DELAY_MS_MAX)
  await new Promise<void>((resolve) => setTimeout(resolve, delayMs))
  return Response.text(`${delayMs} ms later\n`)
}
