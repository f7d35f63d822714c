import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { formatExtendedCommunity, type FamilyName } from '@typemetal/bgp'
import { Daemon } from './daemon.js'
import type { Host } from './namespace.js'
import {
  communitiesOf,
  communityName,
  isIpv6,
  type Neighbor,
  type Network,
  type Router,
  type RouterKind,
  type RouterOptions,
  type SeenPath,
} from './router.js'

const EXABGP = '/usr/sbin/exabgp'
/** Passes on what ExaBGP tells its API process, and what is written into the pipe to ExaBGP. */
const API_PROCESS = (directory: string): string => `#!/bin/sh
exec 3<&0
cat <&3 >>${directory}/received &
exec cat <>${directory}/commands
`

function route(network: Network, { nextHops }: RouterOptions): string {
  const { standard, large, routeTargets } = communitiesOf(network)
  const list = (name: string, members: readonly string[]): string =>
    members.length > 0 ? ` ${name} [ ${members.join(' ')} ]` : ''
  return [
    `route ${network.prefix} next-hop ${isIpv6(network) ? nextHops.ipv6 : nextHops.ipv4}`,
    network.multiExitDisc === undefined ? '' : ` med ${network.multiExitDisc}`,
    list('community', standard),
    list('large-community', large),
    list(
      'extended-community',
      routeTargets.map(text => `target:${text}`),
    ),
  ].join('')
}

function configureNeighbor(neighbor: Neighbor, options: RouterOptions): string {
  const { address, asn, localAddress, passive = false, password } = neighbor
  const { holdTime, addPath, gracefulRestart, extendedNextHop, extendedMessage, networks = [] } = options
  const capabilities = [
    'route-refresh enable;',
    ...(addPath ? ['add-path send/receive;'] : []),
    ...(gracefulRestart ? [`graceful-restart ${gracefulRestart};`] : []),
    ...(extendedNextHop ? ['nexthop enable;'] : []),
    `extended-message ${extendedMessage ? 'enable' : 'disable'};`,
  ]
  return [
    `neighbor ${address} {`,
    `router-id ${options.routerId};`,
    `local-address ${localAddress};`,
    `local-as ${options.asn};`,
    `peer-as ${asn};`,
    'listen 179;',
    `passive ${passive};`,
    ...(password ? [`md5-password "${password}";`] : []),
    ...(holdTime ? [`hold-time ${holdTime};`] : []),
    'family { ipv4 unicast; ipv6 unicast; }',
    ...(extendedNextHop ? ['nexthop { ipv4 unicast ipv6; }'] : []),
    ...(addPath ? ['add-path { ipv4 unicast; ipv6 unicast; }'] : []),
    `capability { ${capabilities.join(' ')} }`,
    'api { processes [ api ]; neighbor-changes; receive { parsed; update; } }',
    `static { ${networks.map(network => `${route(network, options)};`).join('\n')} }`,
    '}',
  ].join('\n')
}

const configure = (options: RouterOptions, program: string): string =>
  [
    `process api { run ${program}; encoder json; }`,
    ...options.neighbors.map(neighbor => configureNeighbor(neighbor, options)),
    '',
  ].join('\n')

interface ExaNlri {
  readonly nlri: string
  readonly 'path-information'?: string
}

interface ExaAttributes {
  readonly 'as-path'?: readonly number[]
  readonly 'local-preference'?: number
  readonly med?: number
  readonly community?: readonly (readonly [number, number])[]
  readonly 'large-community'?: readonly (readonly number[])[]
  /** A number of 64 bits, which JSON.parse would round, as a string. */
  readonly 'extended-community'?: readonly { readonly value: string }[]
}

interface ExaUpdate {
  readonly attribute?: ExaAttributes
  readonly announce?: Record<string, Record<string, readonly ExaNlri[]>>
  readonly withdraw?: Record<string, readonly ExaNlri[]>
}

interface ExaEvent {
  readonly neighbor?: {
    readonly address: { readonly peer: string }
    readonly state?: string
    readonly message?: { readonly update?: ExaUpdate }
  }
}

/** Of an extended community it is the number that counts: ExaBGP's texts have quirks of their own. */
function extendedName({ value }: { readonly value: string }): string {
  const octets = Buffer.alloc(8)
  octets.writeBigUInt64BE(BigInt(value))
  return formatExtendedCommunity({ type: octets[0]!, subtype: octets[1]!, value: octets.subarray(2) })
}

function toSeenPath(prefix: string, nextHop: string, attributes: ExaAttributes): SeenPath {
  return {
    prefix,
    nextHop,
    asPath: (attributes['as-path'] ?? []).join(' '),
    localPref: attributes['local-preference'],
    multiExitDisc: attributes.med,
    communities: [
      ...(attributes.community ?? []).map(parts => communityName(parts.join(':'))),
      ...(attributes['large-community'] ?? []).map(parts => `large:${parts.join(':')}`),
      ...(attributes['extended-community'] ?? []).map(extendedName),
    ].toSorted(),
    stale: undefined,
  }
}

const keyOf = ({ nlri, ...rest }: ExaNlri): string => `${nlri} ${rest['path-information'] ?? ''}`

/** What ExaBGP's API process was told of one neighbour: ExaBGP has no Adj-RIB-In that it would show. */
class Account {
  established = false
  readonly paths = new Map<string, SeenPath>()

  take({ state, message }: NonNullable<ExaEvent['neighbor']>): void {
    if (state) {
      this.established = state === 'up'
      this.paths.clear()
    }
    const { attribute = {}, announce = {}, withdraw = {} } = message?.update ?? {}
    for (const nlris of Object.values(withdraw)) for (const nlri of nlris) this.paths.delete(keyOf(nlri))
    for (const [nextHop, nlris] of Object.values(announce).flatMap(hops => Object.entries(hops))) {
      for (const nlri of nlris) this.paths.set(keyOf(nlri), toSeenPath(nlri.nlri, nextHop, attribute))
    }
  }
}

class ExaBgp implements Router {
  readonly daemon: Daemon
  readonly #neighbor: string
  readonly #accounts = new Map<string, Account>()
  #taken = 0

  constructor(daemon: Daemon, [neighbor]: readonly Neighbor[]) {
    this.daemon = daemon
    this.#neighbor = neighbor?.address ?? ''
  }

  configure(options: RouterOptions): void {
    this.daemon.write('exabgp.conf', configure(options, this.daemon.path('api')))
  }

  async start(options: RouterOptions): Promise<void> {
    const { daemon } = this
    daemon.write('api', API_PROCESS(daemon.directory), 0o755)
    this.configure(options)
    execFileSync('mkfifo', [daemon.path('commands')])
    const settings = { 'daemon.drop': false, 'api.cli': false, 'api.ack': false }
    await daemon.start({
      command: 'env',
      args: [
        ...Object.entries(settings).map(([name, value]) => `exabgp.${name}=${value}`),
        EXABGP,
        daemon.path('exabgp.conf'),
      ],
      prepare: () => this.#forget(),
      // It has no command line before it has a session; listening is the last step of its start.
      ready: async () => (await daemon.host.ask('ss', '-Hltn', 'sport = :179')).includes(':179'),
    })
  }

  /** What it told before it was killed does not count any more. */
  #forget(): void {
    rmSync(this.daemon.path('received'), { force: true })
    this.#accounts.clear()
    this.#taken = 0
  }

  #read(): void {
    const text = existsSync(this.daemon.path('received')) ? readFileSync(this.daemon.path('received'), 'utf8') : ''
    const end = text.lastIndexOf('\n') + 1
    for (const line of text.slice(this.#taken, end).split('\n')) {
      const { neighbor } = (line ? JSON.parse(line.replace(/"value": (\d+)/g, '"value": "$1"')) : {}) as ExaEvent
      if (neighbor) this.#account(neighbor.address.peer).take(neighbor)
    }
    this.#taken = end
  }

  #account(neighbor: string): Account {
    const account = this.#accounts.get(neighbor) ?? new Account()
    this.#accounts.set(neighbor, account)
    return account
  }

  paths(neighbor = this.#neighbor): Promise<readonly SeenPath[]> {
    this.#read()
    return Promise.resolve([...this.#account(neighbor).paths.values()])
  }

  async count(neighbor = this.#neighbor): Promise<number> {
    return (await this.paths(neighbor)).length
  }

  established(): Promise<readonly string[]> {
    this.#read()
    const up = [...this.#accounts].filter(([, { established }]) => established)
    return Promise.resolve(up.map(([neighbor]) => neighbor))
  }

  requestRefresh(family: FamilyName): Promise<unknown> {
    return this.command(`announce route-refresh ${family.replace('-', ' ')}`)
  }

  reset(): Promise<unknown> {
    return this.command(`neighbor ${this.#neighbor} teardown 4`)
  }

  /** Tells it something over its API. */
  command(...lines: readonly string[]): Promise<unknown> {
    writeFileSync(this.daemon.path('commands'), lines.map(line => `${line}\n`).join(''))
    return Promise.resolve()
  }
}

export const exabgp: RouterKind = {
  name: 'ExaBGP',
  missing: () => (existsSync(EXABGP) ? undefined : 'needs ExaBGP: apt-get install exabgp'),
  async start(host: Host, options: RouterOptions) {
    const router = new ExaBgp(new Daemon(host, 'exabgp'), options.neighbors)
    await router.start(options)
    return router
  },
}
