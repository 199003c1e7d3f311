// What handlers wait for in tests, in place of a time: each asks a server of the test's, which answers when the test says so.

import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export class Gate {
  readonly #held: ServerResponse[] = []
  readonly #server = createServer((_, response) => {
    this.#held.push(response)
    this.#look()
  })
  #wanted = 0
  #look: () => void = () => {}

  static async open(): Promise<Gate> {
    const gate = new Gate()
    await new Promise<void>((resolve) => gate.#server.listen(0, '127.0.0.1', resolve))
    return gate
  }

  /** What a handler fetches; a function that may is allowed {@link origin}. */
  get url(): string {
    return `${this.origin}/`
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Resolves when so many handlers wait. One caller at a time. */
  async waiting(count: number): Promise<void> {
    this.#wanted = count
    await new Promise<void>((resolve) => {
      this.#look = () => {
        if (this.#held.length >= this.#wanted) resolve()
      }
      this.#look()
    })
  }

  /** Lets those go on that wait now. */
  release(): void {
    for (const response of this.#held.splice(0)) response.end()
  }

  /** Lets all go on, those that come later too. */
  stayOpen(): void {
    this.#look = () => this.release()
    this.release()
  }

  [Symbol.dispose](): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}
