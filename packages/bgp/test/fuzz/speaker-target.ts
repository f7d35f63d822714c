/** A whole speaker on the loopback: first an octet that chooses the peer, one that chooses the state, then what the peer sends. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import * as fc from 'fast-check'
import { BgpSpeaker } from '@typemetal/bgp'
import { createOpen } from '@typemetal/bgp/fsm'
import {
  encodeMessage,
  MessageType,
  type MessageContext,
  type OpenMessage,
  type UpdateMessage,
} from '@typemetal/bgp/wire'
import { anyUpdate } from '../messages.js'
import { OctetSource } from './octet-source.js'
import type { Attempt, FuzzTarget } from '@typemetal/lab'
import { untilTrue, Witness } from './witness.js'
import { wholeMessages } from './wire-targets.js'

const OURS = 64_512
const LOCAL = '127.0.0.1'
const KEEPALIVE = encodeMessage({ type: 'keepalive' })
const both = { families: ['ipv4-unicast', 'ipv6-unicast'] } as const

interface HostilePeer {
  readonly address: string
  readonly open: OpenMessage
  /** What the session of that OPEN carries to us. */
  readonly context: MessageContext
}

const EXTERNAL: MessageContext = { fourOctetAs: true, internal: false }
const MODERN: MessageContext = {
  ...EXTERNAL,
  addPath: both.families,
  extendedMessage: true,
  extendedNextHop: ['ipv4-unicast'],
}

/** Peers that may send anything: where they come from, and the OPEN that gets them in. */
const PEERS: readonly HostilePeer[] = [
  {
    address: '127.0.2.1',
    context: EXTERNAL,
    open: createOpen({ ...both, asn: 64_513, bgpIdentifier: 77, holdTime: 90 }),
  },
  {
    address: '127.0.3.1',
    context: { ...EXTERNAL, internal: true },
    open: createOpen({ ...both, asn: OURS, bgpIdentifier: 78, holdTime: 0 }),
  },
  {
    address: '127.0.4.1',
    context: MODERN,
    open: createOpen({
      ...both,
      asn: 64_514,
      bgpIdentifier: 79,
      holdTime: 30,
      addPath: { send: both.families, receive: [] },
      extendedMessage: true,
      extendedNextHop: ['ipv4-unicast'],
    }),
  },
  // One that knows nothing but AS numbers of 2 octets.
  {
    address: '127.0.5.1',
    context: { ...EXTERNAL, fourOctetAs: false },
    open: { type: 'open', version: 4, asn: 64_515, holdTime: 90, bgpIdentifier: 80, capabilities: [] },
  },
]
const PEER_OPTIONS = { propagate: true, holdTime: 90 } as const

/** Messages as they came in from the speaker, type by type. */
function typesOf(octets: Uint8Array): readonly number[] {
  const types: number[] = []
  for (let at = 0; at < octets.length;) {
    assert.ok(at + 19 <= octets.length, 'whole messages')
    types.push(octets[at + 18]!)
    at += (octets[at + 16]! << 8) | octets[at + 17]!
    assert.ok(at <= octets.length, 'whole messages')
  }
  return types
}

class SpeakerAttempt implements Attempt {
  readonly #speaker: BgpSpeaker
  readonly #witness: Witness
  readonly #failures: Error[] = []
  readonly #onException = (error: Error): void => void this.#failures.push(error)
  #turn = 0

  constructor(speaker: BgpSpeaker, witness: Witness) {
    this.#speaker = speaker
    this.#witness = witness
    process.on('uncaughtException', this.#onException)
  }

  async run(input: Uint8Array): Promise<void> {
    const source = new OctetSource(input)
    const { address, open } = source.pick(PEERS)
    const how = source.uint8()
    const socket = connect({ host: LOCAL, port: this.#speaker.port!, localAddress: address })
    const chunks: Uint8Array[] = []
    socket.on('error', () => {})
    socket.on('data', (chunk: Uint8Array) => chunks.push(chunk))
    const closed = once(socket, 'close').catch(() => {})
    await once(socket, 'connect')
    if (how & 3) socket.write(encodeMessage(open))
    if (how & 2) socket.write(KEEPALIVE)
    await this.#feed(socket, source.rest(), how)
    socket.end()
    await Promise.race([closed, new Promise(resolve => setTimeout(resolve, 60_000, 'late').unref())])
    assert.ok(socket.closed, 'RFC 4271 section 8.2.2: a connection that the peer has closed is closed')
    socket.destroy()
    this.#checkAnswers(Buffer.concat(chunks))
    await this.#checkOthers()
  }

  async close(): Promise<void> {
    process.off('uncaughtException', this.#onException)
    this.#witness.close()
    await this.#speaker.close()
  }

  /** In one piece, or in small ones. */
  async #feed(socket: Socket, octets: Uint8Array, how: number): Promise<void> {
    const size = how & 16 ? 1 + ((how >> 5) & 7) * 5 : octets.length
    for (let at = 0, turns = 0; at < octets.length && socket.writable; at += size, turns++) {
      socket.write(octets.slice(at, turns < 40 ? at + size : octets.length))
      if (turns === 40) return
      if (size < octets.length) await new Promise(resolve => setImmediate(resolve))
    }
  }

  /** RFC 4271 section 6: the last word is a NOTIFICATION, where there is one. */
  #checkAnswers(octets: Uint8Array): void {
    const types = typesOf(octets)
    const at = types.indexOf(MessageType.Notification)
    assert.ok(at === -1 || at === types.length - 1, `messages of types ${types.join(' ')}`)
  }

  /** The other session has not been touched, and knows all there is: nothing but what we say now. */
  async #checkOthers(): Promise<void> {
    const prefix = '198.51.100.0/24'
    const isOn = this.#turn++ % 2 === 0
    if (isOn) this.#speaker.announce({ prefix })
    else this.#speaker.withdraw(prefix)
    const wanted = isOn ? [prefix] : []
    const knows = (): boolean => this.#witness.prefixes.length === wanted.length && this.#witness.has(prefix) === isOn
    await untilTrue(() => knows() || this.#witness.trouble !== undefined || this.#failures.length > 0, 60_000)
    if (this.#failures[0]) throw this.#failures[0]
    assert.equal(this.#witness.trouble, undefined)
    assert.deepEqual(this.#witness.prefixes, wanted, 'all of the peer is gone with its session')
  }
}

async function open(): Promise<SpeakerAttempt> {
  const speaker = new BgpSpeaker({ asn: OURS, bgpIdentifier: '10.0.0.1', listen: { address: LOCAL, port: 0 } })
  const [external, internal, modern, old] = PEERS.map(({ address }) => `${address}/24`)
  speaker.addDynamicPeers({ ...PEER_OPTIONS, prefix: external!, asn: 64_513 })
  speaker.addDynamicPeers({ ...PEER_OPTIONS, prefix: internal!, asn: OURS })
  const addPath = { receive: both.families, send: [] }
  speaker.addDynamicPeers({ ...PEER_OPTIONS, prefix: modern!, asn: 64_514, addPath })
  speaker.addDynamicPeers({ ...PEER_OPTIONS, prefix: old!, asn: 64_515 })
  speaker.addPeer({ ...PEER_OPTIONS, address: '127.0.9.1', asn: 64_999, passive: true })
  // Values are made of routes for those who listen, and of one peer's UPDATEs.
  speaker.on('route', ({ paths }) => void paths.map(({ attributes }) => attributes))
  speaker.on('peer', peer => peer.address === PEERS[1]!.address && peer.on('update', () => {}))
  await speaker.start()
  const witness = await Witness.connect(speaker.port!, '127.0.9.1', 64_999)
  return new SpeakerAttempt(speaker, witness)
}

/** Messages of all types to each peer, and UPDATEs that fit its session; most of them in Established. */
function streams(): readonly Uint8Array[] {
  const messages = wholeMessages()
  const any = messages.map((octets, i) => {
    const behind = messages[(i * 13) % messages.length]!
    return Uint8Array.from([i % PEERS.length, i % 9 < 7 ? 3 | (i & 0xf0) : i % 3, ...octets, ...behind])
  })
  const fitting = PEERS.flatMap(({ context }, index) => {
    const updates = fc.sample(fc.array(anyUpdate(context), { minLength: 1, maxLength: 3 }), { seed: 1, numRuns: 60 })
    return updates.map(list => {
      const octets = list.map(update => encodeOrNothing(update, context))
      return Uint8Array.from([index, 3, ...octets.flatMap(each => [...each])])
    })
  })
  return [...any, ...fitting]
}

/** The arbitraries make some that are longer than a message may be. */
function encodeOrNothing(update: UpdateMessage, context: MessageContext): Uint8Array {
  try {
    return encodeMessage(update, context)
  } catch (error) {
    assert.ok(error instanceof RangeError)
    return new Uint8Array(0)
  }
}

export const SPEAKER: FuzzTarget = {
  name: 'speaker',
  claim:
    'RFC 7606: a peer may send anything in any state; it is answered or heard, and no other session is told malformed or stale routes',
  corpus: streams,
  open,
}
