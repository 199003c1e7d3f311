// A neighbour, as a process of its own: asks again as soon as it is answered, on each of its connections, until it is told to
// stop; then says what it was answered.
import { connect } from 'node:net'

const { port, path, connections, bodyBytes = 0, pieceBytes = 0 } = JSON.parse(process.argv[2])
const PIECE_MS = 10
/** After a connection was closed on it: it must not spend its time on connecting. */
const AGAIN_MS = 5
const head = `${bodyBytes > 0 ? 'POST' : 'GET'} ${path} HTTP/1.1\r\nhost: neighbour\r\n${bodyBytes > 0 ? `content-length: ${bodyBytes}\r\n` : ''}\r\n`
const answered = {}

function open() {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let text = ''
  let left = 0
  let drip
  const ask = () => {
    socket.write(head)
    if (bodyBytes === 0) return
    let sent = 0
    drip = setInterval(() => {
      socket.write(Buffer.alloc(Math.min(pieceBytes, bodyBytes - sent), 120))
      sent += pieceBytes
      if (sent >= bodyBytes) clearInterval(drip)
    }, PIECE_MS)
  }
  const whole = (status) => {
    answered[status] = (answered[status] ?? 0) + 1
    text = ''
    ask()
  }
  socket.on('connect', ask)
  socket.on('data', (data) => {
    if (left > 0) {
      left -= data.length
      if (left <= 0) whole(text)
      return
    }
    text += data.latin1Slice()
    const end = text.indexOf('\r\n\r\n')
    if (end < 0) return
    const length = Number(/content-length: *(\d+)/i.exec(text)?.[1] ?? 0)
    const status = text.slice(9, 12)
    left = end + 4 + length - text.length
    if (left > 0) text = status
    else whole(status)
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    clearInterval(drip)
    setTimeout(open, AGAIN_MS)
  })
}

for (let i = 0; i < connections; i++) open()
process.on('SIGTERM', () => {
  console.log(JSON.stringify(answered))
  process.exit(0)
})
console.log('{"asks":true}')
