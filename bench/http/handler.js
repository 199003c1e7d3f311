export default {
  async fetch(request) {
    if (request.method === 'POST') {
      const { order, customer, items } = await request.json()
      return Response.json({ order, name: customer.name, items: items.length })
    }
    return Response.json({ hello: 'world' })
  },
}
