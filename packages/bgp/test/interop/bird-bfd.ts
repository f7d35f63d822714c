import { existsSync } from 'node:fs'
import type { AuthenticationOptions, AuthenticationType, State } from '@typemetal/bgp/bfd'
import {
  BFD_PEER_DEFAULTS,
  type BfdPeer,
  type BfdPeerKind,
  type BfdPeerOptions,
  type SeenBfdSession,
} from './bfd-peer.js'
import { Daemon } from './daemon.js'
import type { Host } from './namespace.js'

const BIRD = '/usr/sbin/bird'
const STATES: readonly State[] = ['AdminDown', 'Down', 'Init', 'Up']
const MILLISECONDS = 1000

const AUTHENTICATION: { readonly [T in AuthenticationType]: string } = {
  'simple-password': 'simple',
  'keyed-md5': 'keyed md5',
  'meticulous-keyed-md5': 'meticulous keyed md5',
  'keyed-sha1': 'keyed sha1',
  'meticulous-keyed-sha1': 'meticulous keyed sha1',
}

const configureAuthentication = ({ type, keyId, key }: AuthenticationOptions): string =>
  `authentication ${AUTHENTICATION[type]}; password "${String(key)}" { id ${keyId}; };`

/** What its protocol `bfd` is told of an interface, or of all multihop sessions. */
export function birdBfdSettings(options: Omit<BfdPeerOptions, 'neighbors'>): string {
  const { transmitInterval, receiveInterval, detectMultiplier, passive, authentication } = {
    ...BFD_PEER_DEFAULTS,
    ...options,
  }
  return [
    `min tx interval ${transmitInterval} ms; min rx interval ${receiveInterval} ms; idle tx interval 1 s;`,
    `multiplier ${detectMultiplier}; passive ${passive ? 'on' : 'off'};`,
    authentication ? configureAuthentication(authentication) : 'authentication none;',
  ].join(' ')
}

function configure(options: BfdPeerOptions): string {
  const { neighbors, multihop } = options
  const settings = birdBfdSettings(options)
  return [
    'router id 10.1.0.2;',
    'log stderr all;',
    'protocol device {}',
    'protocol bfd bfd1 {',
    'debug { states, events };',
    multihop ? `multihop { ${settings} };` : `interface "eth0" { ${settings} };`,
    ...neighbors.map(({ address, localAddress }) =>
      multihop
        ? `neighbor ${address} local ${localAddress} multihop on;`
        : `neighbor ${address} dev "eth0" local ${localAddress};`,
    ),
    '}',
    '',
  ].join('\n')
}

class BirdBfd implements BfdPeer {
  readonly daemon: Daemon
  #options: BfdPeerOptions

  constructor(daemon: Daemon, options: BfdPeerOptions) {
    this.daemon = daemon
    this.#options = options
  }

  async start(): Promise<void> {
    const { daemon } = this
    daemon.write('bird.conf', configure(this.#options))
    await daemon.start({
      command: BIRD,
      args: ['-f', '-c', daemon.path('bird.conf'), '-s', daemon.path('ctl'), '-P', daemon.path('pid')],
      ready: async () => (await this.#birdc('show', 'status')).includes('Daemon is up'),
    })
  }

  async change(options: BfdPeerOptions): Promise<void> {
    this.#options = options
    this.daemon.write('bird.conf', configure(options))
    await this.#birdc('configure')
  }

  async session(address = this.#options.neighbors[0]?.address): Promise<SeenBfdSession | undefined> {
    // IP address, interface, state, since, interval, timeout.
    for (const line of (await this.#birdc('show', 'bfd', 'sessions')).split('\n')) {
      const [ip, , name, , interval, timeout] = line.trim().split(/\s+/)
      const state = STATES.find(known => known === name)
      if (ip !== address || state === undefined) continue
      return {
        state,
        transmitInterval: Math.round(Number(interval) * MILLISECONDS),
        detectionTime: Math.round(Number(timeout) * MILLISECONDS),
      }
    }
    return undefined
  }

  async disable(): Promise<void> {
    await this.#birdc('disable', 'bfd1')
  }

  async enable(): Promise<void> {
    await this.#birdc('enable', 'bfd1')
  }

  #birdc(...words: readonly string[]): Promise<string> {
    return this.daemon.host.ask('birdc', '-s', this.daemon.path('ctl'), ...words)
  }
}

export const birdBfd: BfdPeerKind = {
  name: 'BIRD',
  missing: () => (existsSync(BIRD) ? undefined : 'needs BIRD: apt-get install bird2'),
  async start(host: Host, options: BfdPeerOptions) {
    const peer = new BirdBfd(new Daemon(host, 'bird'), options)
    await peer.start()
    return peer
  },
}
