// What happens to a speaker in a long life, at random but repeatable.
import { run } from '@typemetal/lab'
import { configuration, node, nodeStatus, PEERS } from '../../bench/speaker/objects.mjs'

/** Interface that comes and goes; the peers are behind another one. */
const SPARE = 'eth1'
const COMMUNITIES = ['64512:1', '64512:2', '64512:3']

/** Marsaglia's xorshift32. */
function randomness(seed) {
  let x = seed | 0 || 1
  return () => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) / 2 ** 32
  }
}

export class Churn {
  #random
  #world
  #sight
  #first
  #count
  /** Services that come and go, by number: whether their endpoint is ready. */
  #present = new Map()
  #community = ''
  #label = 0
  /** How often what was done. */
  done = new Map()

  /** @param options `{ seed, world, sight, services }`: these many stand and stay, as many come and go */
  constructor({ seed, world, sight, services }) {
    this.#random = randomness(seed)
    this.#world = world
    this.#sight = sight
    this.#first = services
    this.#count = services
  }

  /** How many routes each peer must have. */
  get routes() {
    return this.#first + [...this.#present.values()].filter(Boolean).length
  }

  /** One change of any kind. */
  async step() {
    const [weights, total] = this.#weights
    let at = this.#random() * total
    const [name, , act] = weights.find(([, weight]) => (at -= weight) < 0) ?? weights[0]
    await act()
    this.done.set(name, (this.done.get(name) ?? 0) + 1)
  }

  /** Everything as it was, but for the Services. */
  async settle() {
    this.#community = ''
    await this.#configure()
    this.#world.write('broken', [])
    await this.#spare(true)
  }

  get #weights() {
    const list = [
      ['Service comes', 30, () => this.#come()],
      ['Service goes', 25, () => this.#go()],
      ['endpoint changes', 30, () => this.#turn()],
      ['Node changes', 4, () => this.#relabel()],
      ['interface changes', 4, () => this.#spare(this.#random() < 0.5)],
      ['configuration changes', 2, () => this.#recolour()],
      ['file breaks', 2, () => this.#break()],
      ['session is lost', 1, () => this.#sight.drop(Math.floor(this.#random() * PEERS))],
    ]
    return [list, list.reduce((sum, [, weight]) => sum + weight, 0)]
  }

  #any() {
    return this.#first + Math.floor(this.#random() * this.#count)
  }

  async #come() {
    const i = this.#any()
    await this.#world.create(i)
    this.#present.set(i, true)
  }

  async #go() {
    const i = this.#any()
    await this.#world.remove(i)
    this.#present.delete(i)
  }

  async #turn() {
    const i = this.#any()
    if (!this.#present.has(i)) return this.#come()
    const ready = !this.#present.get(i)
    await this.#world.setReady(i, ready)
    this.#present.set(i, ready)
  }

  async #relabel() {
    this.#label++
    await this.#configure()
  }

  async #recolour() {
    this.#community = COMMUNITIES[Math.floor(this.#random() * COMMUNITIES.length)]
    await this.#configure()
  }

  async #break() {
    // Its own file, and no configuration in it: what else there is stays as it is.
    this.#world.write('broken', this.#random() < 0.5 ? '{"apiVersion": "v1", "kind": ' : [])
  }

  async #configure() {
    const objects = configuration().map(object =>
      object.kind === 'BGPAdvertisement' && this.#community !== ''
        ? { ...object, spec: { ...object.spec, communities: [this.#community] } }
        : object,
    )
    const labels = { ...node.metadata.labels, round: String(this.#label) }
    const own = { ...node, metadata: { ...node.metadata, labels }, status: nodeStatus }
    this.#world.write('cluster', [own, ...objects])
  }

  async #spare(up) {
    await run(['ip', 'link', 'set', SPARE, up ? 'up' : 'down'])
    const address = `10.30.${Math.floor(this.#random() * 4)}.1/24`
    const action = up && this.#random() < 0.7 ? 'replace' : 'del'
    await run(['ip', 'address', action, address, 'dev', SPARE], { check: false })
  }
}
