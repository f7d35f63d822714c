import { isLinkLocal } from '../address.js'
import { Diagnostic, diagnosticName, type State as BfdState } from '../bfd/wire/index.js'
import { bfdVerdict, type BfdCondition, type BfdEvent, type BfdFailure } from '../fsm/index.js'
import type { BfdSessionRequest, BfdSource, BfdSourceSession, BfdStateDetails } from './bfd-source.js'
import { isConnected, isUsualSource } from './connected.js'
import { isEqual } from './equal.js'
import type { Logger } from './logger.js'
import type { Interfaces } from './next-hop.js'
import type { CheckedPeerOptions } from './peer-options.js'
import { zoneOf } from './unnumbered/unnumbered-neighbor.js'

/** What a {@link PeerBfd} has of its peer. */
export interface PeerBfdSurroundings {
  readonly source: BfdSource | undefined
  readonly interfaces: () => Interfaces
  readonly log: Logger
  /** The sessions of the peer. */
  readonly sessions: {
    bfd: BfdCondition
    bfdChanged(event: BfdEvent): void
  }
  /** What the peer is doing now. */
  readonly situation: () => Pick<BfdFailure, 'state' | 'restarting'>
  /** Routes that are kept for its restart go. */
  readonly forget: () => void
}

/** Where a connection from the peer has come to. */
export interface BfdMeeting {
  /** The peer's address, in canonical text without zone. */
  readonly remote: string
  /** Ours, likewise. */
  readonly local: string
  /** The interface, of a link-local address. */
  readonly zone: string | undefined
}

/** The BFD session that is held, and what it was asked with. */
interface Held {
  readonly request: BfdSessionRequest
  readonly session: BfdSourceSession
}

/** Whether they are the same session on the wire. */
const isSame = (a: BfdSessionRequest, b: BfdSessionRequest): boolean =>
  a.address === b.address &&
  a.localAddress === b.localAddress &&
  a.interface === b.interface &&
  a.device === b.device &&
  a.multihop === b.multihop

function conditionOf({ state, remoteState }: BfdSourceSession): BfdCondition {
  if (state === 'Up') return 'Up'
  return state === 'AdminDown' || remoteState === 'AdminDown' ? 'AdminDown' : 'Down'
}

/** Of a neighbour that has only passed on that it is down, what it says of the reason. */
function reasonOf({ diagnostic, remoteDiagnostic }: BfdStateDetails): string {
  const name = diagnosticName(diagnostic)
  const signaled = diagnostic === Diagnostic.NeighborSignaledSessionDown && remoteDiagnostic !== 0
  return signaled ? `${name} (${diagnosticName(remoteDiagnostic)})` : name
}

/**
 * BFD with one peer, RFC 5882: asks for the session for as long as the peer is configured, whatever becomes of BGP, and tells the peer's
 * sessions what it says of the path. A session that is Up stays where it is; one that is not follows the peer: when it is found on its
 * link, and to the address of ours that the peer connects to, where we have not said from which one to send.
 */
export class PeerBfd {
  readonly #surroundings: PeerBfdSurroundings
  #options: CheckedPeerOptions
  /** The neighbour of an unnumbered peer, without zone. */
  #found = ''
  #met: BfdMeeting | undefined
  #held: Held | undefined
  #closed = false
  #notifications = 0

  /** @param met the connection that a dynamic peer comes of */
  constructor(options: CheckedPeerOptions, surroundings: PeerBfdSurroundings, met?: BfdMeeting) {
    this.#options = options
    this.#surroundings = surroundings
    this.#met = met
  }

  /** RFC 5880 section 6.2; `undefined` while there is no BFD session. */
  get state(): BfdState | undefined {
    return this.#held?.session.state
  }

  /** Changes of state that BGP was told of. */
  get notifications(): number {
    return this.#notifications
  }

  /**
   * Asks for the session, if its options say so and the neighbour is known. For a dynamic peer what the source objects to is in the log.
   *
   * @throws {RangeError} see {@link BfdSource}
   */
  open(): void {
    if (this.#met) this.#tryToFollow()
    else this.#follow()
  }

  /** Other options from now on. @throws {RangeError} they do not agree with other holders of the session; nothing is changed then */
  change(options: CheckedPeerOptions): void {
    const [before, found, met] = [this.#options, this.#found, this.#met]
    this.#options = options
    if (before.interface !== options.interface || before.address !== options.address) {
      this.#found = ''
      this.#met = undefined
    }
    try {
      this.#follow('anyway')
    } catch (error) {
      this.#options = before
      this.#found = found
      this.#met = met
      throw error
    }
  }

  /** The neighbour of an unnumbered peer is this one. @param address with or without its zone */
  found(address: string): void {
    this.#found = address.split('%', 1)[0] ?? ''
    this.#tryToFollow()
  }

  /** A connection has come in from the peer. */
  met(meeting: BfdMeeting): void {
    this.#met = meeting
    this.#tryToFollow()
  }

  /** Gives the session back, for good; the neighbour is told AdminDown if nobody else holds it. Safe to call twice. */
  close(): void {
    this.#closed = true
    this.#held?.session.close()
    this.#held = undefined
  }

  #request(): BfdSessionRequest | undefined {
    const { bfd, sourceAddress, device, interface: on, dialAddress } = this.#options
    // Who connects on the link of an unnumbered peer is the peer, found or not.
    const address = this.#options.address || this.#found || (this.#met?.remote ?? '')
    if (!bfd || address === '' || this.#closed) return undefined
    const multihop = bfd.multihop ?? this.#isMultihop(address)
    const link = on ?? zoneOf(dialAddress) ?? this.#met?.zone
    const localAddress = sourceAddress ?? this.#metAddress(address, multihop)
    return {
      ...bfd.session,
      address,
      multihop,
      ...(localAddress !== undefined && { localAddress }),
      ...(link !== undefined && !multihop && { interface: link }),
      ...(device !== undefined && { device }),
    }
  }

  /** The peer's BFD answers to the address that its BGP connects to. It is said only where the kernel would send from another one. */
  #metAddress(address: string, multihop: boolean): string | undefined {
    const local = this.#met?.local
    if (local === undefined || isLinkLocal(address)) return undefined
    return !multihop && isUsualSource(local, address, this.#surroundings.interfaces()) ? undefined : local
  }

  #isMultihop(address: string): boolean {
    if (isLinkLocal(address)) return false
    const { ttl, minTtl, session } = this.#options
    const hops = minTtl === undefined ? (ttl ?? 1) : 256 - minTtl
    if (hops > 1) return true
    const internal = session.remoteAs === 'internal' || session.remoteAs === session.asn
    return internal && !isConnected(address, this.#surroundings.interfaces())
  }

  #tryToFollow(): void {
    try {
      this.#follow()
    } catch (error) {
      this.#surroundings.log.error({ error: (error as Error).message }, 'no BFD session')
    }
  }

  /** @param how `anyway`: the options want another session, even if this one is Up */
  #follow(how?: 'anyway'): void {
    const request = this.#request()
    const held = this.#held
    if (!request) {
      if (held && !this.#options.bfd) this.#disable(held)
      else if (held && how) this.#release(held)
    } else if (!held) this.#hold(request)
    else if (this.#fits(held, request)) {
      if (!isEqual(sessionOptionsOf(held.request), sessionOptionsOf(request))) this.#adjust(held, request)
    } else if (how || held.session.state !== 'Up') {
      this.#hold(request)
      held.session.close()
    }
  }

  /** Whether the session that is held is the wanted one; the kernel may have chosen the local address by itself. */
  #fits({ request: before, session }: Held, request: BfdSessionRequest): boolean {
    if (isSame(before, request)) return true
    const { localAddress } = session.snapshot()
    return (
      before.localAddress === undefined && localAddress !== undefined && isSame({ ...before, localAddress }, request)
    )
  }

  #adjust({ request: before, session }: Held, request: BfdSessionRequest): void {
    const options = sessionOptionsOf(request)
    session.change(options)
    this.#held = { session, request: { ...before, ...options } }
  }

  #hold(request: BfdSessionRequest): void {
    const session = this.#surroundings.source?.session(request)
    if (!session) return
    this.#held = { request, session }
    session.on('state', (to, from, details) => {
      if (this.#held?.session !== session) return
      this.#log(to, from, details)
      this.#changed(session, reasonOf(details))
    })
    session.on('remoteState', () => this.#held?.session === session && this.#changed(session))
    this.#tell(session)
  }

  #disable(held: Held): void {
    this.#release(held)
    this.#surroundings.sessions.bfdChanged({ type: 'BfdDisabled' })
  }

  #release(held: Held): void {
    this.#held = undefined
    this.#surroundings.sessions.bfd = 'Down'
    held.session.close()
  }

  #log(to: BfdState, from: BfdState, details: BfdStateDetails): void {
    const { log } = this.#surroundings
    const { cause, remoteState } = details
    const level = to === 'Up' || from === 'Up' ? 'info' : 'debug'
    log[level]({ to, from, cause, diagnostic: diagnosticName(details.diagnostic), remoteState }, 'BFD session state')
  }

  #changed(session: BfdSourceSession, reason?: string): void {
    this.#notifications++
    this.#tell(session, reason)
    // What had to wait because it was Up.
    if (session.state === 'Down') this.#tryToFollow()
  }

  #tell(session: BfdSourceSession, reason?: string): void {
    const { sessions } = this.#surroundings
    const condition = conditionOf(session)
    if (condition === sessions.bfd) return
    if (condition === 'Up') sessions.bfdChanged({ type: 'BfdUp' })
    else if (condition === 'AdminDown') sessions.bfdChanged({ type: 'BfdAdminDown' })
    else if (sessions.bfd === 'Up' && reason !== undefined) this.#failed(session, reason)
    else sessions.bfd = 'Down'
  }

  /** RFC 5882 sections 3.2 and 4.3. */
  #failed(session: BfdSourceSession, diagnostic: string): void {
    const { sessions, situation, forget, log } = this.#surroundings
    const { state, restarting } = situation()
    const { remoteControlPlaneIndependent: controlPlaneIndependent } = session.snapshot()
    const { ends, forgets, reason } = bfdVerdict({ state, restarting, controlPlaneIndependent })
    if (restarting) log.info({ diagnostic, reason }, forgets ? 'stale routes go with the path' : 'BFD is not believed')
    if (ends) sessions.bfdChanged({ type: 'BfdDown', reason: diagnostic })
    else sessions.bfd = 'Down'
    if (forgets) forget()
  }
}

/** The session's own options. */
function sessionOptionsOf(request: BfdSessionRequest): Omit<BfdSessionRequest, 'address'> {
  const { address: _, localAddress: _local, interface: _on, device: _device, multihop: _multihop, ...options } = request
  return options
}
