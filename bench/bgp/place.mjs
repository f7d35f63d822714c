// Where it all happens: one network namespace, the daemon on one address and everybody else on others, over loopback.
import { Lab } from '@typemetal/lab'
import { fileURLToPath } from 'node:url'
import { Commanded } from './commands.mjs'

/** Who is who. */
export const DAEMON = { address: '10.0.0.1', asn: 64_512 }
export const FEEDER = { from: '10.0.0.2', asn: 64_601 }
export const SINK = { from: '10.0.0.3', asn: 64_602 }
/** Neighbours of the sessions benchmark: 10.1.1.1 to 10.1.1.128, 10.1.2.1 … */
export const CROWD = { net: '10.1', range: '10.1.0.0/16', asn: 64_700 }
export const crowdAddress = i => `${CROWD.net}.${1 + (i >> 7)}.${1 + (i & 127)}`

const TESTER = fileURLToPath(new URL('tester.mjs', import.meta.url))

/** The namespace with its two testers: one feeds, the other takes. */
export class Place {
  #lab
  host
  /** @type {Commanded} */
  feeder
  /** @type {Commanded} */
  sink
  #closed

  static async open() {
    const place = new Place()
    place.#lab = await Lab.create()
    try {
      await place.#furnish()
    } catch (error) {
      await place.close()
      throw error
    }
    return place
  }

  /** Folder for a daemon's files. */
  get directory() {
    return this.#lab.directory
  }

  get isClosed() {
    return this.#closed !== undefined
  }

  /** Kills everything that runs in the namespace and deletes it. Safe to call twice. */
  async close() {
    this.#closed ??= this.#lab[Symbol.asyncDispose]()
    await this.#closed
  }

  /** Ends all sessions of the testers. */
  async hangUp() {
    await Promise.all([this.feeder.ask('closeAll'), this.sink.ask('closeAll')])
  }

  async #furnish() {
    this.host = await this.#lab.host('bgp')
    // Daemons shall see an ordinary interface with its neighbours on it; since all addresses are local, packets take `lo`.
    await this.host.namespace.ip([
      'link add eth0 type veth peer name eth1',
      'link set eth1 up',
      'link set eth0 up',
      'address add 10.0.0.1/8 dev eth0',
      'route add local 10.0.0.0/8 dev lo',
    ])
    await this.host.namespace.setSysctls({ 'net.ipv4.tcp_max_syn_backlog': 8192, 'net.core.somaxconn': 8192 })
    this.feeder = await Commanded.start(this.host, 'feeder', [TESTER])
    this.sink = await Commanded.start(this.host, 'sink', [TESTER])
  }
}
