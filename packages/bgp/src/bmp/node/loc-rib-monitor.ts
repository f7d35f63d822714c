import { parseIdentifier } from '../../address.js'
import type { MonitoredChange, MonitoredSpeaker } from '../../monitored-speaker.js'
import { createEndOfRib, encodeMessage, familyOf, type FamilyName, type MessageContext } from '../../wire/index.js'
import { BmpInformationType, createInformation } from '../wire/information.js'
import type { BmpMessage } from '../wire/message.js'
import { BmpPeerType, type BmpPeerHeader } from '../wire/peer-header.js'
import { BmpStatisticType } from '../wire/statistics-report.js'
import { openOctets } from './opens.js'
import { routeUpdates, withdrawal, type ShownRoute } from './route-updates.js'
import type { Subject } from './subject.js'

export interface LocRibMonitorOptions {
  readonly speaker: MonitoredSpeaker
  /** Microseconds since 1970 UTC. */
  readonly now: () => number
  readonly changed: (subject: Subject) => void
  readonly follow: (subject: Subject, message: BmpMessage) => void
}

const FAMILIES: readonly FamilyName[] = ['ipv4-unicast', 'ipv6-unicast']
const HOLD_TIME = 90
/** VRF/Table Name of the one Loc-RIB there is, RFC 9069 section 5.2.1. */
const INFORMATION = [createInformation(BmpInformationType.VrfTableName, 'global')]
const CONTEXT: MessageContext = { fourOctetAs: true, internal: true, extendedNextHop: FAMILIES }

/** Shows the best paths of the Loc-RIB as a peer of its own, RFC 9069. It stands for as long as it is watched. */
export class LocRibMonitor implements Subject {
  readonly #options: LocRibMonitorOptions
  readonly #header: BmpPeerHeader
  readonly #listener = (change: MonitoredChange): void => this.#route(change)
  #watched = true

  constructor(options: LocRibMonitorOptions) {
    const { speaker, changed } = options
    this.#options = options
    this.#header = {
      peerType: BmpPeerType.LocRib,
      flags: 0,
      distinguisher: 0n,
      address: new Uint8Array(16),
      asn: speaker.asn,
      bgpIdentifier: parseIdentifier(speaker.bgpIdentifier),
      timestamp: 0,
    }
    speaker.on('route', this.#listener)
    changed(this)
  }

  get session(): number | undefined {
    return this.#watched ? 1 : undefined
  }

  /** Watches no more. */
  end(): void {
    this.#options.speaker.off('route', this.#listener)
    this.#watched = false
  }

  up(): BmpMessage {
    const { asn, bgpIdentifier } = this.#header
    // RFC 9069 section 5.2: OPEN messages that nobody sent say that AS numbers have 4 octets, and which families there are.
    const open = openOctets(asn, HOLD_TIME, bgpIdentifier, [
      ...FAMILIES.map(family => ({ type: 'multiprotocol' as const, ...familyOf(family) })),
      { type: 'four-octet-as', asn },
    ])
    const ports = { localPort: 0, remotePort: 0 }
    const opens = { sentOpen: open, receivedOpen: open }
    const localAddress = new Uint8Array(16)
    return { type: 'peer-up', peer: this.#now(), localAddress, ...ports, ...opens, information: INFORMATION }
  }

  down(): BmpMessage {
    return { type: 'peer-down', peer: this.#now(), reason: { type: 'loc-rib-closed', information: INFORMATION } }
  }

  *dump(): Generator<BmpMessage> {
    for (const update of routeUpdates(bestPaths(this.#options.speaker.locRib()), CONTEXT)) {
      yield { type: 'route-monitoring', peer: this.#header, update }
    }
    for (const family of FAMILIES) {
      const update = encodeMessage(createEndOfRib(familyOf(family)), CONTEXT)
      yield { type: 'route-monitoring', peer: this.#now(), update }
    }
  }

  statistics(): BmpMessage {
    let routes = 0n
    for (const _ of this.#options.speaker.locRib()) routes++
    const statistics = [{ type: 'gauge' as const, statistic: BmpStatisticType.LocRibRoutes, value: routes }]
    return { type: 'statistics-report', peer: this.#now(), statistics }
  }

  #now(): BmpPeerHeader {
    return { ...this.#header, timestamp: this.#options.now() }
  }

  #route(change: MonitoredChange): void {
    const updates =
      change.paths.length > 0 ? routeUpdates(bestPaths([change]), CONTEXT) : [withdrawal(change.prefix, CONTEXT)]
    for (const update of updates) {
      this.#options.follow(this, { type: 'route-monitoring', peer: this.#now(), update })
    }
  }
}

function* bestPaths(changes: Iterable<MonitoredChange>): Generator<ShownRoute> {
  for (const { prefix, paths } of changes) if (paths[0]) yield { prefix, ...paths[0] }
}
