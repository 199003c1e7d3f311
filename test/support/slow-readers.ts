import { connect, type Socket } from 'node:net'

/** Clients that ask for a path, and read no further than the first piece of the answer. Resolves when each has that. */
export function slowReaders(port: number, path: string, count: number): Promise<Socket[]> {
  const reader = () =>
    new Promise<Socket>((resolve) => {
      const socket = connect(port, '127.0.0.1')
      socket.once('data', () => {
        socket.pause()
        resolve(socket)
      })
      socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`)
    })
  return Promise.all(Array.from({ length: count }, reader))
}
