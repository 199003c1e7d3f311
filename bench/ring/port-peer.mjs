// MessagePort: postMessage of a Uint8Array, which is copied. It has no backpressure of its own, so the far end says
// after each half of a window that it has it.
import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { checkEcho, checkTally, tallyOf } from './messages.mjs'

const WINDOW_MESSAGES = 2_048
const WINDOW_BYTES = 8 * 2 ** 20

const halfWindowOf = (bytes) => Math.max(1, Math.min(WINDOW_MESSAGES, Math.floor(WINDOW_BYTES / bytes)) >> 1)

export function near() {
  const { port1: port, port2 } = new MessageChannel()
  const answer = async () => (await once(port, 'message'))[0]
  return {
    workerData: { peer: 'MessagePort', port: port2 },
    transferList: [port2],
    async verify(message) {
      port.postMessage('echo')
      port.postMessage(message)
      const echo = await answer()
      port.postMessage('count')
      checkEcho(message, 0, echo, echo.length)
    },
    async oneWay(message, count) {
      const expected = tallyOf(message, count)
      const half = halfWindowOf(message.length)
      let unanswered = 0
      const start = performance.now()
      for (let i = 0; i < count; i++) {
        message[0] = i
        port.postMessage(message)
        if ((i + 1) % half !== 0) continue
        port.postMessage('more?')
        if (++unanswered === 2) {
          await answer()
          unanswered -= 1
        }
      }
      while (unanswered-- > 0) await answer()
      port.postMessage('tally?')
      const tally = await answer()
      const seconds = (performance.now() - start) / 1000
      checkTally(expected, tally)
      return seconds
    },
    roundTrips(message, micros) {
      return new Promise((resolve) => {
        let i = 0
        let start = 0
        const trip = () => {
          start = performance.now()
          port.postMessage(message)
        }
        const arrived = () => {
          micros[i++] = (performance.now() - start) * 1000
          if (i < micros.length) return trip()
          port.off('message', arrived)
          port.postMessage('count')
          resolve()
        }
        port.on('message', arrived)
        port.postMessage('echo')
        trip()
      })
    },
    stop() {
      port.close()
    },
  }
}

export function far({ port }) {
  let tally = 0
  let echoing = false
  port.on('message', (message) => {
    if (typeof message !== 'string') {
      if (echoing) port.postMessage(message)
      else tally = (tally + message[0] + message[message.length - 1]) | 0
    } else if (message === 'more?') {
      port.postMessage('more')
    } else if (message === 'tally?') {
      port.postMessage(tally)
      tally = 0
    } else {
      echoing = message === 'echo'
    }
  })
}
