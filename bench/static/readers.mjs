import { connect } from 'node:net'
import { residentBytes } from '../lib/server.mjs'

const READERS = 64
/** Slow enough that all of them are under way at once. */
const PAUSE_MS = 20
const LOOK_MS = 50

/**
 * How much more of the memory a server has while so many clients read the large file slowly; each reads a part and goes.
 * @returns {Promise<number>} bytes
 */
export async function growthWithReaders({ port, pid }, { largeBytes, seconds }) {
  const idle = residentBytes(pid)
  if (idle === undefined) return Number.NaN
  let most = idle
  const watch = setInterval(() => {
    most = Math.max(most, residentBytes(pid))
  }, LOOK_MS)
  const readers = Array.from({ length: READERS }, () => read(port, largeBytes))
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  for (const socket of readers) socket.destroy()
  clearInterval(watch)
  const received = readers.reduce((sum, { bytesRead }) => sum + bytesRead, 0)
  if (received < READERS * 100_000) throw new Error('the readers got next to nothing')
  return most - idle
}

function read(port) {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.on('data', () => {
    socket.pause()
    setTimeout(() => socket.resume(), PAUSE_MS)
  })
  socket.write('GET /large.bin HTTP/1.1\r\nhost: a\r\n\r\n')
  return socket
}
