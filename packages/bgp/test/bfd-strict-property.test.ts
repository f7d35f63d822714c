/** Two speakers in strict mode on a simulated network, with BFD that comes and goes. */
import t from 'tap'
import type { SessionOptions } from '@typemetal/bgp/fsm'
import { Pair, seeded } from './pair.js'

const STRICT: Partial<SessionOptions> = { bfdStrictMode: true, holdTime: 9, connectRetryTime: 10 }
const A: SessionOptions = { asn: 64_512, bgpIdentifier: 1, remoteAs: 64_513, ...STRICT }
const B: SessionOptions = { asn: 64_513, bgpIdentifier: 2, remoteAs: 64_512, ...STRICT }
const MINUTE = 60_000

t.test('draft-ietf-idr-bgp-bfd-strict-mode section 8: Established only with BFD Up, and always in the end', async t => {
  let waits = 0
  for (let seed = 0; seed < 300; seed++) {
    const random = seeded(seed)
    const options: Partial<SessionOptions> = {
      holdTime: random() < 0.3 ? 0 : 9,
      delayOpenTime: random() < 0.2 ? 1 : 0,
      bfdHoldTime: 5,
    }
    const pair = new Pair(
      { ...A, ...options, passive: random() < 0.2 },
      { ...B, ...options, bfdStrictMode: random() < 0.8 },
      random,
    )
    pair.start(pair.a)
    pair.start(pair.b)
    let wrong = ''
    for (let at = 0; at < 3 * MINUTE; at += 1 + Math.floor(random() * 8000)) {
      pair.runUntil(at)
      for (const side of [pair.a, pair.b]) {
        const { peering } = side
        if (peering.bfdSubState) waits++
        if (peering.bfdSubState && peering.bfd !== 'Down') wrong ||= `${side.name} waits for nothing`
        const isOpen = peering.state === 'Established' && side.options.bfdStrictMode
        if (isOpen && peering.bfd === 'Down') wrong ||= `${side.name} is Established with BFD Down`
      }
      const side = random() < 0.5 ? pair.a : pair.b
      if (side.peering.bfd === 'Down') pair.bfd(side, { type: random() < 0.8 ? 'BfdUp' : 'BfdAdminDown' })
      else if (side.peering.bfd === 'Up') pair.bfd(side, { type: 'BfdDown', reason: 'Path Down' })
      else pair.bfd(side, { type: 'BfdUp' })
    }
    pair.bfd(pair.a, { type: 'BfdUp' })
    pair.bfd(pair.b, { type: 'BfdUp' })
    pair.runUntil(6 * MINUTE)
    if (wrong || !pair.isEstablished || pair.openPipes.length !== 1) t.fail(`seed ${seed}: ${wrong}`, { log: pair.log })
  }
  t.ok(waits > 300, `waited ${waits} times`)
})
