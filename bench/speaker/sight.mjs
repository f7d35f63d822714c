// What the far end has seen: asked over TCP, the moments being the far end's own.
import { once } from 'node:events'
import { createConnection } from 'node:net'
import { createInterface } from 'node:readline'
import { PLACE } from './objects.mjs'

/** Milliseconds of the clock that all processes of this machine share. */
export const now = () => Number(process.hrtime.bigint()) / 1e6

export class Sight {
  #socket
  #ids = 0
  #listeners = new Map()

  static async open(port) {
    const sight = new Sight()
    sight.#socket = createConnection({ host: PLACE.far, port })
    await once(sight.#socket, 'connect')
    createInterface({ input: sight.#socket }).on('line', line => {
      const { id, ...told } = JSON.parse(line)
      sight.#listeners.get(id)?.(told)
    })
    return sight
  }

  /** What the next change of an address looks like. @returns `{ routes, announced }`: promises of moments, `undefined` after `limit` ms */
  async watch(address, limit) {
    const told = new Map()
    const waiting = new Map()
    const id = this.#ask({ ask: 'arm', address }, ({ what, ...more }) => {
      if (told.has(what)) return
      told.set(what, more)
      waiting.get(what)?.(more)
    })
    const until = what =>
      new Promise(resolve => {
        if (told.has(what)) return resolve(told.get(what))
        const timer = setTimeout(() => resolve(undefined), limit)
        waiting.set(what, more => {
          clearTimeout(timer)
          resolve(more)
        })
      })
    await until('armed')
    const [routes, announced] = [until('routes'), until('announced')]
    void Promise.all([routes, announced]).then(() => this.#listeners.delete(id))
    return { routes, announced }
  }

  /** Resolves with the moment when every peer has exactly `routes` routes, and `announced` addresses have been heard by ARP. */
  async reach(goal, limit) {
    const answer = await this.#once({ ask: 'goal', ...goal }, limit)
    return answer?.at ?? Infinity
  }

  forgetAnnounced() {
    return this.#once({ ask: 'forget' })
  }

  /** Ends a peer's session, without a word. */
  drop(peer) {
    return this.#once({ ask: 'drop', peer })
  }

  state() {
    return this.#once({ ask: 'state' })
  }

  /** Which of these addresses the first peer has a route to. */
  async routes(addresses) {
    return (await this.#once({ ask: 'routes', addresses })).present
  }

  close() {
    this.#socket.destroy()
  }

  #once(question, limit = 60_000) {
    return new Promise(resolve => {
      let id = 0
      const timer = setTimeout(() => end(undefined), limit)
      const end = answer => {
        clearTimeout(timer)
        this.#listeners.delete(id)
        resolve(answer)
      }
      id = this.#ask(question, end)
    })
  }

  #ask(question, listener) {
    const id = ++this.#ids
    this.#listeners.set(id, listener)
    this.#socket.write(`${JSON.stringify({ id, ...question })}\n`)
    return id
  }
}
