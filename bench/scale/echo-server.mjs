const { serveEcho } = await import(new URL('../../dist/bench-scale.js', import.meta.url).href)

const port = await serveEcho(Number(process.argv[2]))
console.log(JSON.stringify({ msg: 'listening', port }))
process.on('SIGTERM', () => process.exit(0))
