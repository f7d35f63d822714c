// Ours and theirs: who is measured, and rows of both.
import { readFileSync } from 'node:fs'
import { goPeer } from '@typemetal/lab'
import { Ring } from './ring.mjs'

const GO_MOD = new URL('../../lab/peers/go/go.mod', import.meta.url)

/** Version of hashicorp/memberlist that the peer is built with. */
export const peerVersion = /hashicorp\/memberlist v(\S+)/.exec(readFileSync(GO_MOD, 'utf8'))?.[1]

const PEER = `memberlist ${peerVersion}`
const NAMES = { node: 'ours', go: 'theirs' }

/** What a measurement gets: where it runs, who is measured, how thoroughly. */
export class Sides {
  /** `node`, which is us, then `go` when there is one. */
  kinds
  place
  quick
  #missing

  constructor(place, kinds, missing, { quick }) {
    this.place = place
    this.kinds = kinds
    this.quick = quick
    this.#missing = missing
  }

  static async open(place, options) {
    const peer = await goPeer()
    const missing = [...place.missing, ...('missing' in peer ? [`no peer: ${peer.missing}`] : [])]
    return new Sides(place, 'missing' in peer ? ['node'] : ['node', 'go'], missing, options)
  }

  /** One of the kinds, by itself. */
  only(kind) {
    return new Sides(this.place, [kind], this.#missing, this)
  }

  /** What cannot be measured here, a line each. */
  get missing() {
    return this.#missing
  }

  /** Says how it goes, on standard error. */
  say(kind, text) {
    console.error(`  ${NAMES[kind]}: ${text}`)
  }

  /** The same for each kind, one after the other. @returns results by kind */
  async inTurn(work) {
    const results = {}
    for (const kind of this.kinds) results[kind] = await work(kind)
    return results
  }

  /** The same for both kinds at once. @returns results by kind */
  async together(work) {
    return Object.fromEntries(await Promise.all(this.kinds.map(async kind => [kind, await work(kind)])))
  }

  /** Settled rings of both kinds, which end with `work`. */
  async withRings(options, work, room = () => this.place.room()) {
    const rings = await this.inTurn(async kind => Ring.settled(await room(), { ...options, kind }))
    try {
      return await work(rings)
    } finally {
      await this.together(kind => rings[kind].close())
    }
  }

  /** A row for the table. @param samples by kind */
  row(what, unit, samples, more = {}) {
    return { what, unit, ours: samples.node, ...(samples.go && { peer: PEER, theirs: samples.go }), ...more }
  }
}
