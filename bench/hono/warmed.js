// The app, after one request to itself at its top level: Hono builds its router at its first, and a runtime that is reset after
// each has a first one each time. What the top level leaves is part of the image.
import app from './app.js'

app.request('/')

export default app
