/** The smallest function: GET /hello */
export default {
  fetch(): Response {
    return Response.json({ hello: 'world' })
  },
}
