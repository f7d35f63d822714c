/** Those who decide about frames, under any frames whatever, one after the other. */
import assert from 'node:assert/strict'
import type { Attempt, FuzzTarget } from '@typemetal/lab'
import { AddressProbe, ConflictDetector } from '@typemetal/arp-ndp/acd'
import { answeredBy, OwnedAddresses, Responder, type ResponderIdentity } from '@typemetal/arp-ndp/responder'
import * as wire from '@typemetal/arp-ndp/wire'
import { expected } from '../responder-oracle.js'
import { frameInputs, LINK_LOCAL, MAC, OWNED } from './frames.js'

const IDENTITIES: readonly ResponderIdentity[] = [
  { protocol: 'arp', interface: 'eth0', mac: MAC },
  { protocol: 'ndp', interface: 'eth0', mac: MAC, linkLocal: LINK_LOCAL },
]

function table(): OwnedAddresses {
  const owned = new OwnedAddresses()
  for (const [text, octets] of Object.entries(OWNED)) owned.set(text, octets, text.endsWith('2') ? ['eth1'] : 'all')
  return owned
}

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((a, b) => a + b, 0)

/** An answer is ours, goes to one other station, and is about an address that is ours here. */
function checkReply(frame: Uint8Array, text: string): void {
  assert.ok(text.endsWith('1'), 'only where the address is selected')
  const { source, destination, etherType, payload } = wire.decodeEthernet(frame)
  assert.deepEqual(source, MAC)
  assert.ok(wire.isStationMac(destination) && !wire.isGroupMac(destination))
  assert.notDeepEqual(destination, MAC)
  if (etherType === wire.EtherType.ARP) {
    assert.deepEqual(wire.decodeArp(payload).senderProtocolAddress, OWNED['192.0.2.1'])
    return
  }
  const packet = wire.decodeIpv6(payload)
  assert.equal(wire.ndpFault(packet), undefined)
  assert.deepEqual(wire.decodeNeighborAdvertisement(packet.payload).targetAddress, OWNED['2001:db8::1'])
}

/** What both responders answer must be what the oracle says, and every frame is counted once. */
function openResponders(): Attempt {
  const owned = table()
  // The oracle knows nothing of interfaces.
  const selected = new OwnedAddresses()
  for (const { text, octets, interfaces } of owned) if (interfaces === 'all') selected.set(text, octets, 'all')
  const responders = IDENTITIES.map(identity => new Responder(identity, owned))
  let frames = 0
  return {
    run(input) {
      const before = input.slice()
      frames++
      const answered = [...owned].reduce((count, { counters }) => count + counters.requestsReceived, 0)
      let answers = 0
      for (const responder of responders) {
        const verdict = responder.handle(input)
        const wanted = expected(input, responder.identity, selected)
        if (typeof verdict === 'string') {
          assert.equal(wanted, undefined, `${verdict}, but it is to be answered`)
          continue
        }
        answers++
        assert.deepEqual(verdict.frame, wanted)
        checkReply(verdict.frame, verdict.owned.text)
      }
      assert.deepEqual(input, before, 'not written into')
      const now = [...owned].reduce((count, { counters }) => count + counters.requestsReceived, 0)
      assert.equal(now, answered + answers)
      const drops = responders.reduce((count, { drops }) => count + sum(drops), 0)
      assert.equal(drops + now, frames * responders.length, 'answered or dropped with a reason, one of the two')
      for (const { drops } of responders) assert.ok(drops.size <= 20, 'reasons are a closed set')
    },
  }
}

export const RESPONDER: FuzzTarget = {
  name: 'responder',
  claim:
    'RFC 826, RFC 4861 section 7.2.4: whatever comes, only requests for our addresses are answered, and each frame is counted once',
  corpus: frameInputs,
  open: openResponders,
}

/** Detectors that see everything, and probes that wait for the same addresses. */
function openDetectors(): Attempt {
  const owned = table()
  let now = 0
  let frames = 0
  let conflicts = 0
  const detectors = IDENTITIES.map(
    identity => new ConflictDetector(identity, owned, { defend: 'always', capacity: 64, expiry: 5000 }),
  )
  return {
    run(input) {
      const before = input.slice()
      now += 1 + (input[6] ?? 0)
      frames++
      for (const [i, detector] of detectors.entries()) {
        const verdict = detector.observe(input, now)
        if (typeof verdict !== 'string') {
          conflicts++
          assert.notDeepEqual(verdict.mac, MAC, 'we are not in conflict with ourselves')
          assert.ok(owned.get(verdict.owned.text) === verdict.owned && verdict.owned.text.endsWith('1'))
        }
        if (now >= detector.deadline) detector.expire(now)
        assert.ok(detector.conflicts(now).length <= 64, 'bounded')
        checkProbe(IDENTITIES[i]!, input, now)
      }
      assert.equal(
        detectors.reduce((count, { ignored }) => count + sum(ignored), conflicts),
        frames * 2,
      )
      for (const address of Object.values(OWNED)) {
        const owner = answeredBy(input, MAC, address)
        assert.ok(owner === undefined || wire.isStationMac(owner))
      }
      assert.deepEqual(input, before, 'not written into')
    },
  }
}

/** One frame decides a probe or does not; afterwards nothing is pending. */
function checkProbe(identity: ResponderIdentity, input: Uint8Array, now: number): void {
  const address = identity.protocol === 'arp' ? OWNED['192.0.2.1'] : OWNED['2001:db8::1']
  const probe = new AddressProbe(identity, address, { now, random: () => 0.5 })
  const actions = probe.receive(input, now)
  assert.ok(actions.length <= 1)
  assert.equal(probe.state, actions.length === 0 ? 'probing' : 'conflict')
  assert.equal(probe.deadline === Infinity, actions.length === 1)
}

export const CONFLICTS: FuzzTarget = {
  name: 'conflicts',
  claim:
    'RFC 5227 section 2.4, RFC 4862 section 5.4: whatever comes, claims of others are told, in bounded memory, without an exception',
  corpus: frameInputs,
  open: openDetectors,
}
