import { formatAddress, isHost, parseAddress } from '../address.js'
import { receiveContext, type Negotiated } from '../fsm/index.js'
import { Importer, isFeasible, resolveAs4, type ImportSession } from '../import.js'
import type { AdjRibIn, FamilyPaths, LocRib, Row } from '../rib/index.js'
import type { RouteSource } from '../route-source.js'
import {
  Afi,
  decodeMessage,
  endOfRibFamily,
  familyName,
  updateChanges,
  WireError,
  type Family,
  type FamilyChanges,
  type FamilyName,
  type MessageContext,
  type Nlri,
  type PathAttributes,
  type UpdateMessage,
} from '../wire/index.js'
import { EMPTY, readUint16, readUint32 } from '../wire/octets.js'
import { createUpdateScan, scanUpdate, type UpdateScan, type UpdateScanRules } from '../wire/scan-update.js'

export interface InboundOptions {
  readonly address: string
  /** Ours on the session. */
  readonly localAddress: string
  readonly negotiated: Negotiated
  readonly rib: LocRib<RouteSource>
  readonly adjRibIn: AdjRibIn<RouteSource>
  readonly session: ImportSession
  /** Put what comes in into the Adj-RIB-In; else it is only looked at. */
  readonly keeps: boolean
  readonly handlers: InboundHandlers
}

/** What the peer is told of what comes in. */
export interface InboundHandlers {
  /** Asked before each run of messages: an UPDATE is read whole only when somebody wants it. */
  wantsUpdates(): boolean
  update(update: UpdateMessage): void
  /** A fault that the session outlives, RFC 7606. */
  fault(fault: WireError): void
  /** End-of-RIB of a family, RFC 4724 section 2. */
  endOfRib(family: FamilyName): void
  /** A family is not carried any longer, RFC 7606 section 2. */
  disabled(family: FamilyName): void
}

const LENGTH = 16 // octets from the start of a message
const NEXT_HOP = 0b1000

/** What one session receives: the way of UPDATEs into the Adj-RIB-In, and from there by policy into the Loc-RIB. */
export class Inbound {
  #options: InboundOptions
  readonly #context: MessageContext
  #importer: Importer
  readonly #rules: UpdateScanRules | undefined
  readonly #scan = createUpdateScan()
  readonly #localAddress: Uint8Array
  /** Two speakers of one machine may well share an address. */
  readonly #mayBeUs: boolean
  readonly #disabled = new Set<FamilyName>()
  /** Made when it is first needed: most sessions never do. */
  #joined: Uint8Array = EMPTY

  constructor(options: InboundOptions) {
    const { negotiated, rib, session, address, localAddress } = options
    this.#options = options
    this.#context = receiveContext(negotiated)
    this.#importer = new Importer(rib, session)
    this.#rules = scanRules(negotiated, session)
    this.#localAddress = parseAddress(localAddress)
    this.#mayBeUs = address === localAddress
  }

  /** Families that are not carried any longer because of what the peer has sent. */
  get disabled(): ReadonlySet<FamilyName> {
    return this.#disabled
  }

  /**
   * Takes UPDATEs, whole and back to back.
   *
   * @returns how many
   * @throws {WireError} a fault that resets the session; what stood before it has been taken
   */
  receive(octets: Uint8Array): number {
    const { handlers } = this.#options
    const rules = handlers.wantsUpdates() ? undefined : this.#rules
    let count = 0
    for (let at = 0; at < octets.length; count++) {
      const end = at + readUint16(octets, at + LENGTH)
      const scan = this.#scan
      // A family may have been disabled by the message before.
      const isQuick = rules && this.#disabled.size === 0 && scanUpdate(octets, at, end, rules, scan)
      if (!isQuick || !this.#take(octets, scan)) this.#read(octets.subarray(at, end))
      at = end
    }
    return count
  }

  /** Other rules from now on. @param keeps see {@link InboundOptions} */
  change(session: ImportSession, keeps: boolean): void {
    this.#options = { ...this.#options, session, keeps }
    this.#importer = new Importer(this.#options.rib, session)
  }

  /** Policy is asked again about everything that the peer has announced. */
  reconsider(): void {
    const { rib, adjRibIn, session } = this.#options
    this.#importer.forget()
    for (const family of this.#options.negotiated.families) {
      const paths = rib.family(family)
      for (const path of adjRibIn.paths(family)) {
        const received = paths.received(path)
        const feasible = isFeasible(rib.attributes.attributes(received), session)
        const prefix = paths.prefixOf(path)
        const attributes = feasible ? this.#importer.import(paths, prefix, paths.pathId(path), received) : 0
        paths.setAttributes(path, attributes)
      }
    }
  }

  /** The quick way. @returns whether the message was one for it; nothing has happened otherwise */
  #take(octets: Uint8Array, scan: UpdateScan): boolean {
    if (!this.#options.keeps) return true
    const { facts } = scan
    const hasNlri = scan.nlriAt < scan.nlriEnd
    // Two sets of attributes in one message: rare, and for the whole decoder.
    if (scan.reachAfi !== 0 && (hasNlri || facts.seen & NEXT_HOP || scan.unreachAfi !== 0)) return false
    if (scan.unreachAfi !== 0 && hasNlri) return false
    const { rib } = this.#options
    const ipv4 = rib.family('ipv4-unicast')
    const rules = this.#rules!
    this.#withdrawAll(ipv4, octets, scan.withdrawnAt, scan.withdrawnEnd, rules.ipv4AddPath)
    if (scan.unreachAfi !== 0) {
      const isIpv4 = scan.unreachAfi === Afi.IPv4
      const paths = isIpv4 ? ipv4 : rib.family('ipv6-unicast')
      const addPath = isIpv4 ? rules.ipv4AddPath : rules.ipv6AddPath
      this.#withdrawAll(paths, octets, scan.unreachNlriAt, scan.unreachNlriEnd, addPath)
    }
    if (hasNlri) {
      const hopAt = scan.attributesAt + facts.nextHopAt
      if (!this.#isHost(octets, hopAt, 4)) this.#withdrawAll(ipv4, octets, scan.nlriAt, scan.nlriEnd, rules.ipv4AddPath)
      else {
        const received = rib.attributes.intern(octets, scan.attributesAt, scan.attributesEnd, 0, facts)
        this.#announceAll(ipv4, octets, scan.nlriAt, scan.nlriEnd, rules.ipv4AddPath, received)
      }
    } else if (scan.reachAfi !== 0) this.#takeReach(octets, scan)
    return true
  }

  #takeReach(octets: Uint8Array, scan: UpdateScan): void {
    const { facts } = scan
    const paths = this.#options.rib.family('ipv6-unicast')
    const addPath = this.#rules!.ipv6AddPath
    if (!this.#isHost(octets, scan.reachNextHopAt, scan.reachNextHopLength)) {
      this.#withdrawAll(paths, octets, scan.reachNlriAt, scan.reachNlriEnd, addPath)
      return
    }
    const before = facts.reachAt - scan.attributesAt
    const behind = scan.attributesEnd - facts.reachEnd
    const length = scan.reachNextHopLength + before + behind
    if (this.#joined.length < length) this.#joined = new Uint8Array(2 * length)
    const joined = this.#joined
    const hopEnd = scan.reachNextHopAt + scan.reachNextHopLength
    joined.set(octets.subarray(scan.reachNextHopAt, hopEnd))
    joined.set(octets.subarray(scan.attributesAt, facts.reachAt), scan.reachNextHopLength)
    joined.set(octets.subarray(facts.reachEnd, scan.attributesEnd), scan.reachNextHopLength + before)
    const received = this.#options.rib.attributes.intern(joined, 0, length, scan.reachNextHopLength, facts)
    this.#announceAll(paths, octets, scan.reachNlriAt, scan.reachNlriEnd, addPath, received)
  }

  #announceAll(
    paths: FamilyPaths<RouteSource>,
    octets: Uint8Array,
    at: number,
    end: number,
    addPath: boolean,
    received: Row,
  ): void {
    const { rib, adjRibIn, session } = this.#options
    const { facts } = this.#scan
    const feasible = facts.ownAs <= session.allowOwnAs && !facts.reflected
    const { attributes } = rib
    // The row may have been another set's in the last message.
    this.#importer.forget()
    attributes.retain(received)
    while (at < end) {
      const pathId = addPath ? readUint32(octets, at) : 0
      if (addPath) at += 4
      const length = octets[at]!
      const prefix = paths.prefixes.intern(octets, at + 1, length)
      const used = feasible ? this.#importer.import(paths, prefix, pathId, received) : 0
      adjRibIn.announce(paths, prefix, pathId, received, used)
      at += 1 + ((length + 7) >>> 3)
    }
    attributes.release(received)
  }

  #withdrawAll(paths: FamilyPaths<RouteSource>, octets: Uint8Array, at: number, end: number, addPath: boolean): void {
    const { adjRibIn } = this.#options
    while (at < end) {
      const pathId = addPath ? readUint32(octets, at) : 0
      if (addPath) at += 4
      const length = octets[at]!
      const prefix = paths.prefixes.lookUp(octets, at + 1, length)
      if (prefix !== 0) adjRibIn.withdraw(paths, prefix, pathId)
      at += 1 + ((length + 7) >>> 3)
    }
  }

  /** RFC 4271 section 6.3: the address of a host, and not our own. In place, for each UPDATE has one. */
  #isHost(octets: Uint8Array, at: number, length: number): boolean {
    const first = octets[at]!
    if (length === 4 ? first === 0 || first >= 224 : first === 0xff || isZero(octets, at)) return false
    const ours = this.#localAddress
    if (this.#mayBeUs || ours.length !== (length === 4 ? 4 : 16)) return true
    for (let i = 0; i < ours.length; i++) if (ours[i] !== octets[at + i]) return true
    return false
  }

  /** The whole way, by values. */
  #read(octets: Uint8Array): void {
    const { handlers } = this.#options
    const update = decodeMessage(octets, this.#context) as UpdateMessage
    for (const fault of update.faults ?? []) this.#fault(fault)
    const endOfRib = endOfRibFamily(update)
    const family = endOfRib && familyName(endOfRib)
    if (family && this.#carries(family)) handlers.endOfRib(family)
    if (this.#options.keeps) for (const changes of updateChanges(update)) this.#handle(changes, update)
    if (handlers.wantsUpdates()) handlers.update(update)
  }

  #carries(family: FamilyName): boolean {
    return this.#options.negotiated.families.includes(family) && !this.#disabled.has(family)
  }

  /** RFC 7606 section 2: a family that cannot be read any longer is disabled; when it is the last one, the session is reset. */
  #fault(fault: WireError): void {
    const { handlers, negotiated, adjRibIn } = this.#options
    const family = fault.family && familyName(fault.family)
    if (fault.disposition === 'afi-safi-disable' && family && this.#carries(family)) {
      if (negotiated.families.every(name => name === family || this.#disabled.has(name))) {
        throw new WireError(fault.text, fault.offset, fault.notification, 'session-reset', fault.data)
      }
      this.#disabled.add(family)
      adjRibIn.clear(family)
      handlers.disabled(family)
    }
    handlers.fault(fault)
  }

  #handle(changes: FamilyChanges, update: UpdateMessage): void {
    const family = familyName(changes.family)
    if (!family || !this.#carries(family)) return
    const { rib, adjRibIn, session, negotiated } = this.#options
    const paths = rib.family(family)
    for (const nlri of changes.withdrawn) this.#withdraw(paths, nlri)
    if (changes.reachable.length === 0) return
    const { nextHop } = changes
    if (!nextHop || !this.#isUsable(nextHop, changes.family)) {
      for (const nlri of changes.reachable) this.#withdraw(paths, nlri)
      return
    }
    const attributes = resolveAs4(update.pathAttributes, negotiated.fourOctetAs)
    const received = this.#intern(attributes, nextHop)
    if (received === 0) {
      for (const nlri of changes.reachable) this.#withdraw(paths, nlri)
      return
    }
    const feasible = isFeasible(attributes, session)
    this.#importer.forget()
    rib.attributes.retain(received)
    for (const { length, prefix: octets, pathId = 0 } of changes.reachable) {
      const prefix = paths.prefixes.intern(octets, 0, length)
      const used = feasible ? this.#importer.import(paths, prefix, pathId, received) : 0
      adjRibIn.announce(paths, prefix, pathId, received, used)
    }
    rib.attributes.release(received)
  }

  /** 0 where AS numbers of 4 octets in the place of 2 have made an attribute too long to keep. */
  #intern(attributes: PathAttributes, nextHop: Uint8Array): Row {
    try {
      return this.#options.rib.attributes.internValues(attributes, nextHop)
    } catch (error) {
      if (!(error instanceof RangeError)) throw error
      return 0
    }
  }

  /** RFC 4271 section 6.3, and of the prefix's family unless both sides have agreed on more (RFC 8950), which the decoder knows. */
  #isUsable(nextHop: Uint8Array, family: Family): boolean {
    const isOther = (nextHop.length === 4) !== (family.afi === Afi.IPv4)
    const name = familyName(family)
    if (isOther && (!name || !this.#context.extendedNextHop?.includes(name))) return false
    const address = nextHop.subarray(0, Math.min(16, nextHop.length))
    if (!isHost(address)) return false
    return this.#mayBeUs || formatAddress(address) !== this.#options.localAddress
  }

  #withdraw(paths: FamilyPaths<RouteSource>, { length, prefix: octets, pathId = 0 }: Nlri): void {
    const prefix = paths.prefixes.lookUp(octets, 0, length)
    if (prefix !== 0) this.#options.adjRibIn.withdraw(paths, prefix, pathId)
  }
}

/** Whether an IPv6 address is `::`. */
function isZero(octets: Uint8Array, at: number): boolean {
  for (let i = at; i < at + 16; i++) if (octets[i] !== 0) return false
  return true
}

/** By what UPDATEs are scanned; `undefined` where none can be: AS numbers of 2 octets, confederations. */
function scanRules(
  negotiated: Negotiated,
  { asn, confederationIdentifier, bgpIdentifier, clusterId }: ImportSession,
): UpdateScanRules | undefined {
  const { internal, confederation, fourOctetAs, families, addPath } = negotiated
  if (!fourOctetAs || confederation || confederationIdentifier !== undefined) return undefined
  return {
    internal,
    asn,
    bgpIdentifier,
    clusterId,
    ipv4: families.includes('ipv4-unicast'),
    ipv6: families.includes('ipv6-unicast'),
    ipv4AddPath: addPath.receive.includes('ipv4-unicast'),
    ipv6AddPath: addPath.receive.includes('ipv6-unicast'),
  }
}
