// Where rings run: each in a network namespace of its own, or, where that is not allowed, on addresses of this machine's loopback.
import { filterPackets, Lab, LabError } from '@typemetal/lab'

/** The machine as the measurements need it. */
export class Place {
  #lab
  #rings = 0
  #closed
  #making = Promise.resolve()

  /** What could not be had, a line each. */
  missing = []

  static async open() {
    const place = new Place()
    try {
      place.#lab = await Lab.create()
      await place.#tryFirewall()
    } catch (error) {
      if (!(error instanceof LabError)) throw error
      await place.#lab?.[Symbol.asyncDispose]()
      place.#lab = undefined
      place.missing.push(`no silent hosts, no loss, no packet counts: ${error.message}`)
    }
    return place
  }

  /** Whether rings have a network of their own. */
  get isolated() {
    return this.#lab !== undefined
  }

  /** Whether packets can be dropped. */
  firewall = false

  /** Room for one ring: `seat(i)` is where its i-th node runs. */
  async room() {
    const ring = ++this.#rings
    const host = this.#lab && (await this.#make(() => this.#lab.host(`ring${ring}`)))
    // Without a namespace, rings and runs of this benchmark keep apart by their addresses.
    const net = host ? '127.0' : `127.${1 + ((process.pid + ring) % 250)}`
    return {
      hosts: host ? [host] : [],
      seat: i => ({ host, address: `${net}.${i >> 7}.${1 + (i & 127)}` }),
    }
  }

  /** Room for one ring with a host for each of `count` nodes, on one LAN. */
  async houses(count) {
    const ring = ++this.#rings
    const bridge = await this.#make(() => this.#lab.bridge(`lan${ring}`))
    const hosts = []
    for (let i = 0; i < count; i++) {
      const links = [{ bridge, addresses: [`10.0.0.${i + 1}/24`] }]
      hosts.push(await this.#make(() => this.#lab.host(`ring${ring}-${i}`, { links })))
    }
    return { hosts, seat: i => ({ host: hosts[i], address: `10.0.0.${i + 1}` }) }
  }

  /** Ends everything that was started and deletes what was made. Safe to call at any time. */
  async close() {
    this.#closed ??= this.#close()
    await this.#closed
  }

  async #close() {
    await this.#making
    await this.#lab?.[Symbol.asyncDispose]()
  }

  /** One thing after the other, and none after the end: what is just being made would outlive it. */
  #make(work) {
    const made = this.#making.then(() => {
      if (this.#closed) throw new Error('closed')
      return work()
    })
    this.#making = made.catch(() => {})
    return made
  }

  async #tryFirewall() {
    const host = await this.#lab.host('probe')
    try {
      await filterPackets(host, { percent: 1 })
      this.firewall = true
    } catch (error) {
      this.missing.push(`no silent hosts, no loss: ${error.message.split('\n', 1)[0]}`)
    }
    await host[Symbol.asyncDispose]()
  }
}
