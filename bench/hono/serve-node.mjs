// The app on node:http, as Hono's documentation has it.
import { serve } from '@hono/node-server'
import { listening } from '../peers/servers/node.mjs'
import app from './app.js'

serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => listening(port))
