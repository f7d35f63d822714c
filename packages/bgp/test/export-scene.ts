/** A Loc-RIB with peers of all kinds, and a session on which its routes are told. */
import { AdjRibOut, LocRib, UpdatePacker } from '@typemetal/bgp/rib'
import type { FamilyName, PathAttributes } from '@typemetal/bgp/wire'
import type { ExportSession } from '../dist/export.js'
import { SessionExporter } from '../dist/exporter.js'
import { OwnRoutes } from '../dist/own-routes.js'
import type { ExportPolicy } from '../dist/policy.js'
import { parseRoute, type Route } from '../dist/route.js'
import type { RouteSource } from '../dist/route-source.js'
import { Announcer, assertEmpty, FAMILIES, Mirror, session, source } from './rib-scene.js'

export const PREFIX = '192.0.2.0/24'

export interface Setting {
  readonly to?: Partial<ExportSession>
  readonly policy?: ExportPolicy
  readonly addPath?: readonly FamilyName[]
  readonly extendedNextHop?: readonly FamilyName[]
}

/** One session, whose peer reads what it is told. */
export class Scene {
  readonly rib = new LocRib<RouteSource>()
  readonly own: OwnRoutes<RouteSource>
  readonly out: AdjRibOut<RouteSource>
  readonly mirror: Mirror
  readonly session: ExportSession
  /** The one that is told. */
  readonly peer: Announcer<RouteSource>
  readonly external = new Announcer(this.rib, source(1))
  readonly second = new Announcer(this.rib, source(2))
  readonly internal = new Announcer(this.rib, source(3, { internal: true }))
  readonly local = new Announcer(this.rib, source(0, { local: true }))
  readonly failures: unknown[] = []
  readonly noNextHop: FamilyName[] = []
  oversized = 0

  constructor({ to = {}, policy = 'accept', addPath = [], extendedNextHop = [] }: Setting = {}) {
    this.session = session(to)
    const { fourOctetAs, internal, aigp } = this.session
    this.peer = new Announcer(this.rib, source(9, { internal }))
    this.mirror = new Mirror({
      fourOctetAs,
      internal,
      confederation: this.session.confederation,
      aigpSession: aigp,
      addPath,
      extendedNextHop,
    })
    this.own = new OwnRoutes(this.rib, (family, prefix) => this.out.changed(family, prefix))
    const exporter = new SessionExporter({
      rib: this.rib,
      session: this.session,
      own: this.own,
      policy,
      source: this.peer.adjRibIn.source,
      extendedNextHop,
      oversized: () => this.oversized++,
      noNextHop: family => this.noNextHop.push(family),
      policyFailed: error => this.failures.push(error),
    })
    this.out = new AdjRibOut({
      rib: this.rib,
      exporter,
      families: FAMILIES,
      addPath,
      limit: 4096,
      packer: new UpdatePacker(),
    })
    this.rib.subscribe((family, prefix, selected) => this.out.changed(family, prefix, selected))
    for (const family of FAMILIES) this.out.start(family)
  }

  set(...routes: Route[]): void {
    for (const route of routes) this.own.set(parseRoute(route))
  }

  /** Lets the peer read all that waits. @returns what it knows: next hop and attributes by prefix and Path Identifier */
  told(): ReadonlyMap<string, string> {
    this.mirror.drain(this.out)
    return this.mirror.routes
  }

  /** Attributes of a prefix as the peer knows them. */
  attributes(key: string): PathAttributes | undefined {
    const text = this.told().get(key)
    return text === undefined ? undefined : (JSON.parse(text.slice(text.indexOf(' ') + 1)) as PathAttributes)
  }

  /** Ends everything and checks that nothing is left. */
  close(): void {
    this.told()
    this.out.close()
    this.own.replace([])
    for (const { adjRibIn } of [this.peer, this.external, this.second, this.internal, this.local]) adjRibIn.close()
    assertEmpty(this.rib)
  }
}
