// The process under test of ours: a speaker as anybody would make one, by the public API only. Takes commands as lines of JSON.
// Arguments: our address, our AS, and a file with `{ address, asn }` of each peer.
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { BgpSpeaker } from '@typemetal/bgp'
import { answerCommands } from './commands.mjs'
import { now } from './session.mjs'

const [address, asn, file] = process.argv.slice(2)
const speaker = new BgpSpeaker({ asn: Number(asn), bgpIdentifier: address, listen: { address } })
for (const peer of JSON.parse(readFileSync(file, 'utf8'))) {
  speaker.addPeer({ address: peer.address, asn: peer.asn, passive: true, families: ['ipv4-unicast'], propagate: true })
}
await speaker.start()

const prefixOf = i => `198.${18 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}/32`

answerCommands({
  /** Prefixes in the Adj-RIBs-In, sessions that stand. */
  look() {
    const { peers } = speaker
    return {
      prefixes: peers.reduce((sum, { counters }) => sum + counters.prefixesReceived, 0),
      established: peers.filter(({ state }) => state === 'Established').length,
    }
  },

  /** Collects garbage, as an idle process does sooner or later. */
  async collect() {
    for (let i = 0; i < 3; i++) {
      globalThis.gc()
      await sleep(50)
    }
  },

  /** Announces `count` routes at once, from the `from`-th on. */
  announceMany({ from, count }) {
    for (let i = from; i < from + count; i++) speaker.announce({ prefix: prefixOf(i), communities: ['64512:1'] })
  },

  /** Announces one route after the other, at any moment. @returns when each was announced */
  async announce({ from, count, gap }) {
    const at = []
    for (let i = from; i < from + count; i++) {
      await sleep(gap * (0.5 + Math.random()))
      const route = { prefix: prefixOf(i), communities: ['64512:1'] }
      at.push(now())
      speaker.announce(route)
    }
    return { at }
  },
})
