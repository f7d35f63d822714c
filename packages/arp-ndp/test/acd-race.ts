import { AddressProbe, ConflictDetector, type ProbeAction } from '@typemetal/arp-ndp/acd'
import { OwnedAddresses, Responder, type ResponderIdentity } from '@typemetal/arp-ndp/responder'
import { LINK_LOCAL, V4, V6 } from './acd-samples.js'

/** How two hosts come by the same address. */
export interface Race {
  /** Milliseconds after the first at which the second one starts. */
  readonly start: number
  /** Milliseconds that frames take, in turn. */
  readonly delays: readonly number[]
  /** Which frames are lost, in their order; none beyond the list. */
  readonly lost: readonly boolean[]
  readonly seed: number
}

/** How it ended for one of them. */
export interface Finish {
  readonly state: AddressProbe['state']
  /** Frames about the address that came while it was probing. */
  readonly heard: number
}

/** One that probes and, once the address is its own, answers and defends it. */
class Contender {
  readonly #owned = new OwnedAddresses()
  readonly #responder: Responder
  readonly #detector: ConflictDetector
  readonly #address: Uint8Array
  readonly probe: AddressProbe
  heard = 0

  constructor(protocol: 'arp' | 'ndp', last: number, start: number, random: () => number) {
    const mac = Uint8Array.of(2, 0, 0, 0, 0, last)
    const identity: ResponderIdentity =
      protocol === 'arp'
        ? { protocol, interface: 'eth0', mac }
        : { protocol, interface: 'eth0', mac, linkLocal: LINK_LOCAL.with(15, last) }
    this.#address = protocol === 'arp' ? V4 : V6
    this.#responder = new Responder(identity, this.#owned)
    this.#detector = new ConflictDetector(identity, this.#owned, { defend: 'always' })
    this.probe = new AddressProbe(identity, this.#address, { now: start, random })
  }

  expire(now: number): Uint8Array[] {
    return this.#frames(this.probe.expire(now))
  }

  receive(frame: Uint8Array, now: number): Uint8Array[] {
    if (this.probe.state === 'probing') {
      this.heard++
      return this.#frames(this.probe.receive(frame, now))
    }
    const reply = this.#responder.handle(frame)
    const conflict = this.#detector.observe(frame, now)
    return [
      ...(typeof reply === 'string' ? [] : [reply.frame]),
      ...(typeof conflict === 'string' || conflict.defend === undefined ? [] : [conflict.defend]),
    ]
  }

  #frames(actions: readonly ProbeAction[]): Uint8Array[] {
    if (actions.some(({ type }) => type === 'free')) this.#owned.set('ours', this.#address, 'all')
    return actions.flatMap(action => (action.type === 'send' ? [action.frame] : []))
  }
}

/** Lets two hosts probe for one address on a link of that kind, to the end. */
export function race(protocol: 'arp' | 'ndp', { start, delays, lost, seed }: Race): readonly Finish[] {
  let state = seed
  const random = (): number => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
  const hosts = [new Contender(protocol, 1, 0, random), new Contender(protocol, 2, start, random)] as const
  let frames = 0
  let flying: { readonly at: number; readonly to: Contender; readonly frame: Uint8Array }[] = []
  const send = (to: Contender, sent: readonly Uint8Array[], now: number): void => {
    for (const frame of sent) {
      if (!lost[frames]) flying.push({ at: now + delays[frames % delays.length]!, to, frame })
      frames++
    }
  }
  for (;;) {
    const now = Math.min(...hosts.map(({ probe }) => probe.deadline), ...flying.map(({ at }) => at))
    if (now === Infinity) return hosts.map(({ probe, heard }) => ({ state: probe.state, heard }))
    const arriving = flying.filter(({ at }) => at <= now)
    flying = flying.filter(({ at }) => at > now)
    for (const { to, frame } of arriving) {
      if (now < start && to === hosts[1]) continue
      send(to === hosts[0] ? hosts[1] : hosts[0], to.receive(frame, now), now)
    }
    hosts.forEach((host, i) => send(hosts[1 - i]!, host.expire(now), now))
  }
}
