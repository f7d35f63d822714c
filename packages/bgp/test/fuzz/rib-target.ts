/** The three RIBs against a simple model: an octet chooses what happens, the next ones to what. */
import assert from 'node:assert/strict'
import {
  AdjRibIn,
  AdjRibOut,
  LocRib,
  UpdatePacker,
  type FamilyPaths,
  type PathSource,
  type Row,
} from '@typemetal/bgp/rib'
import {
  decodeMessage,
  updateChanges,
  type FamilyName,
  type MessageContext,
  type PathAttributes,
  type UpdateMessage,
} from '@typemetal/bgp/wire'
import { OctetSource } from './octet-source.js'
import { ATTRIBUTES, expectedPaths, RibModel, SOURCES, type ModelOptions } from './rib-model.js'
import type { FuzzTarget } from '@typemetal/lab'

const FAMILIES: readonly FamilyName[] = ['ipv4-unicast', 'ipv6-unicast']
const NEXT_HOPS = {
  'ipv4-unicast': Uint8Array.of(192, 0, 2, 1),
  'ipv6-unicast': Uint8Array.from({ length: 16 }, (_, i) => (i === 0 ? 0x20 : i)),
}

/** Prefixes of many lengths that share octets, so that hashing by length or by octets alone would show. */
const prefixOf = (number: number): { readonly octets: Uint8Array; readonly length: number } => {
  const length = [0, 8, 9, 16, 17, 24, 25, 32][number % 8]!
  const octets = Uint8Array.of(10, number >> 3, 0, 0).slice(0, (length + 7) >>> 3)
  if (length === 9 || length === 17 || length === 25) octets[octets.length - 1]! &= 0x80
  return { octets, length }
}

const keyOf = (family: FamilyName, length: number, prefix: Uint8Array, pathId: number): string =>
  `${family} ${Buffer.from(prefix).toString('hex')}/${length} ${pathId}`

/** One peer that is told: its Adj-RIB-Out, and what it has made of the UPDATEs that it got. */
class Listener {
  readonly #rib: LocRib<PathSource>
  readonly #out: AdjRibOut<PathSource>
  readonly #hasPathIds: boolean
  readonly #context: MessageContext
  readonly #unsubscribe: () => void
  readonly heard = new Map<string, string>()

  constructor(rib: LocRib<PathSource>, source: number, hasPathIds: boolean, packer: UpdatePacker) {
    this.#rib = rib
    this.#hasPathIds = hasPathIds
    const addPath = hasPathIds ? FAMILIES : []
    this.#context = { fourOctetAs: true, internal: true, addPath }
    this.#out = new AdjRibOut<PathSource>({
      rib,
      packer,
      families: FAMILIES,
      addPath,
      limit: 4096,
      exporter: {
        begin: () => {},
        alike: () => 0,
        hasRoute: (family, prefix) => rib.family(family).best(prefix) !== 0,
        decide: (family, prefix, all, taker) => {
          const paths = rib.family(family)
          for (const path of all ? paths.selected(prefix) : paths.selected(prefix).slice(0, 1)) {
            const from = paths.sourceNumber(path)
            if (from !== source)
              taker.tell(all ? 1 + from * 4 + paths.pathId(path) : 0, paths.attributes(path), from % 2)
          }
        },
        write: (_, set) => {
          const octets = rib.attributes.octets(set)
          return { octets, length: octets.length, nextHop: rib.attributes.nextHop(set) }
        },
      },
    })
    this.#unsubscribe = rib.subscribe((family, prefix) => this.#out.changed(family, prefix))
    for (const family of FAMILIES) this.#out.start(family)
  }

  refresh(family: FamilyName): void {
    this.#out.start(family, true)
  }

  /** Some of what waits. */
  turn(): boolean {
    return this.#out.next((octets, count) => this.#hear(octets, count))
  }

  /** All that waits; then it has heard what it should know. */
  settle(source: number): void {
    while (this.turn()) continue
    assert.ok(!this.#out.isPending)
    assert.equal(this.#out.size, this.heard.size)
    assert.deepEqual(this.heard, this.#expected(source))
  }

  close(): void {
    this.#unsubscribe()
    this.#out.close()
  }

  #expected(source: number): Map<string, string> {
    const expected = new Map<string, string>()
    for (const [family, prefix] of this.#rib.prefixes()) {
      const paths = this.#rib.family(family)
      const { length, prefix: octets } = paths.prefixes.nlri(prefix)
      const all = this.#hasPathIds ? paths.selected(prefix) : paths.selected(prefix).slice(0, 1)
      for (const path of all) {
        const from = paths.sourceNumber(path)
        const pathId = this.#hasPathIds ? 1 + from * 4 + paths.pathId(path) : 0
        const set = paths.attributes(path)
        if (from !== source) expected.set(keyOf(family, length, octets, pathId), this.#textOf(set))
      }
    }
    return expected
  }

  #textOf(set: Row): string {
    return textOf(this.#rib.attributes.attributes(set))
  }

  #hear(octets: Uint8Array, count: number): void {
    let messages = 0
    for (let at = 0; at < octets.length; messages++) {
      const end = at + ((octets[at + 16]! << 8) | octets[at + 17]!)
      const update = decodeMessage(octets.subarray(at, end), this.#context) as UpdateMessage
      assert.deepEqual(update.faults, undefined)
      const { nextHop: _, mpReachNlri: _r, mpUnreachNlri: _u, ...attributes } = update.pathAttributes
      for (const { family, withdrawn, reachable } of updateChanges(update)) {
        const name = family.afi === 1 ? 'ipv4-unicast' : 'ipv6-unicast'
        for (const { length, prefix, pathId = 0 } of withdrawn) {
          assert.ok(this.heard.delete(keyOf(name, length, prefix, pathId)), 'withdrawn is what was told')
        }
        for (const { length, prefix, pathId = 0 } of reachable) {
          this.heard.set(keyOf(name, length, prefix, pathId), textOf(attributes))
        }
      }
      at = end
    }
    assert.equal(messages, count)
  }
}

const textOf = (attributes: PathAttributes): string =>
  JSON.stringify(attributes, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))

/** One run of a program. */
class Scene {
  readonly #options: ModelOptions
  readonly #rib: LocRib<PathSource>
  readonly #model: RibModel
  readonly #peers: AdjRibIn<PathSource>[]
  readonly #packer = new UpdatePacker()
  #listeners: Listener[]

  constructor(options: ModelOptions) {
    this.#options = options
    this.#rib = new LocRib<PathSource>({ ...options, seed: 7 })
    this.#model = new RibModel()
    this.#peers = SOURCES.map(source => new AdjRibIn(this.#rib, source))
    this.#listeners = [0, 1].map(index => this.#listen(index))
  }

  #listen(index: number): Listener {
    return new Listener(this.#rib, this.#peers[index]!.source, index === 1, this.#packer)
  }

  step(source: OctetSource): void {
    const what = source.below(16)
    const number = source.below(SOURCES.length)
    const peer = this.#peers[number]!
    const family = FAMILIES[number & 1]!
    if (what < 7) this.#announce(source, number, peer)
    else if (what < 10) this.#withdraw(source, number, peer)
    else if (what === 10) {
      peer.markStale(family)
      this.#model.markStale(number, family)
    } else if (what === 11) {
      peer.markLongLivedStale(family)
      this.#model.markLongLivedStale(number, family)
    } else if (what === 12) {
      peer.deleteStale(family)
      this.#model.deleteStale(number, family)
    } else if (what === 13) {
      peer.clear()
      this.#model.clear(number)
    } else if (what === 14) this.#listeners[number & 1]!.refresh(FAMILIES[source.uint8() & 1]!)
    else if (number === 3) {
      const index = source.uint8() & 1
      this.#listeners[index]!.close()
      this.#listeners[index] = this.#listen(index)
    } else this.#listeners[number & 1]!.turn()
    if ((number & 3) === 3 && what > 11) this.check()
  }

  #announce(source: OctetSource, number: number, peer: AdjRibIn<PathSource>): void {
    const [paths, octets, length] = this.#prefix(source)
    const prefix = paths.prefixes.intern(octets, 0, length)
    const which = source.uint8()
    const pathId = number === 3 ? (which >> 4) & 3 : 0
    const index = which % ATTRIBUTES.length
    const isUsed = which < 224
    const { family } = paths.prefixes
    const set = this.#rib.attributes.internValues(ATTRIBUTES[index]!, NEXT_HOPS[family])
    peer.announce(paths, prefix, pathId, set, isUsed ? set : 0)
    this.#model.announce(number, family, prefix, pathId, index, isUsed)
  }

  #withdraw(source: OctetSource, number: number, peer: AdjRibIn<PathSource>): void {
    const [paths, octets, length] = this.#prefix(source)
    const pathId = number === 3 ? (source.uint8() >> 4) & 3 : 0
    const prefix = paths.prefixes.lookUp(octets, 0, length)
    if (prefix === 0) return
    peer.withdraw(paths, prefix, pathId)
    this.#model.withdraw(number, paths.prefixes.family, prefix, pathId)
  }

  #prefix(source: OctetSource): [FamilyPaths<PathSource>, Uint8Array, number] {
    const number = source.uint8()
    const { octets, length } = prefixOf(number >> 1)
    return [this.#rib.family(FAMILIES[number & 1]!), octets, length]
  }

  /** The Loc-RIB is what the model says, and both listeners know it. */
  check(): void {
    for (const family of FAMILIES) {
      const paths = this.#rib.family(family)
      assert.equal(paths.size, this.#model.size(family))
      for (const [prefix, routes] of this.#model.prefixes(family)) {
        const expected = expectedPaths(routes, this.#options)
        const nameOf = (path: Row): string =>
          `${paths.sourceNumber(path) - this.#peers[0]!.source} ${paths.pathId(path)}`
        const selected = paths.selected(prefix).map(nameOf)
        const [best] = selected
        if (best === undefined) assert.deepEqual(expected.best, [])
        else {
          assert.ok(expected.best.includes(best), `${best} is not one of ${expected.best.join(', ')}`)
          const all = this.#options.maximumPaths > 1 ? expected.beside(best) : [best]
          assert.deepEqual(selected.toSorted(), all.toSorted())
        }
      }
    }
    for (const [index, listener] of this.#listeners.entries()) listener.settle(this.#peers[index]!.source)
    for (const [index, peer] of this.#peers.entries()) assert.equal(peer.size(), this.#model.sizeOf(index))
  }

  /** Nothing is left when everybody has gone. */
  end(): void {
    for (const peer of this.#peers) peer.clear()
    for (const [index] of this.#peers.entries()) this.#model.clear(index)
    this.check()
    for (const listener of this.#listeners) {
      assert.equal(listener.heard.size, 0)
      listener.close()
    }
    for (const peer of this.#peers) peer.close()
    for (const family of FAMILIES) {
      assert.equal(this.#rib.family(family).size, 0)
      assert.equal(this.#rib.family(family).prefixes.size, 0, 'prefixes that nobody refers to')
    }
    assert.equal(this.#rib.attributes.size, 0, 'attributes that nobody refers to')
  }
}

/** Programs of all kinds: pseudo-random octets have every step in them. */
function programs(): readonly Uint8Array[] {
  return Array.from({ length: 40 }, (_, seed) => {
    let state = seed * 2_654_435_761
    return Uint8Array.from({ length: 20 + seed * 12 }, () => {
      state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x9e37
      return state >>> 11
    })
  })
}

export const RIB: FuzzTarget = {
  name: 'rib',
  claim: 'RFC 4271 section 9.1: Loc-RIB and Adj-RIBs-Out are what a simple model says, and nothing is left behind',
  corpus: programs,
  open: () => ({
    run(input) {
      const source = new OctetSource(input)
      const first = source.uint8()
      const scene = new Scene({ maximumPaths: first & 1 ? 64 : 1, relax: (first & 2) !== 0 })
      while (!source.isEmpty) scene.step(source)
      scene.check()
      scene.end()
    },
  }),
}
