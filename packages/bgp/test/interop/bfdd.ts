import type { State } from '@typemetal/bgp/bfd'
import {
  BFD_PEER_DEFAULTS,
  type BfdPeer,
  type BfdPeerKind,
  type BfdPeerOptions,
  type SeenBfdSession,
} from './bfd-peer.js'
import { Daemon } from './daemon.js'
import { BFDD, bfddArguments, missingBfdd, startZebra, vtysh } from './frr-daemons.js'
import type { Host } from './namespace.js'

const STATES: { readonly [name: string]: State } = {
  up: 'Up',
  down: 'Down',
  init: 'Init',
  shutdown: 'AdminDown',
}

/** An element of `show bfd peers json`; intervals are milliseconds. */
interface FrrSession {
  readonly peer: string
  readonly id: number
  readonly 'remote-id': number
  readonly 'passive-mode': boolean
  readonly status: string
  readonly diagnostic: string
  readonly 'remote-diagnostic': string
  readonly 'receive-interval': number
  readonly 'transmit-interval': number
  readonly 'detect-multiplier': number
  readonly 'remote-receive-interval': number
  readonly 'remote-transmit-interval': number
  readonly 'remote-detect-multiplier': number
}

/** An element of `show bfd peers counters json`. */
interface FrrCounters {
  readonly peer: string
  readonly 'echo-packet-input': number
  readonly 'echo-packet-output': number
  readonly 'session-up': number
  readonly 'session-down': number
}

type FrrNeighbor = BfdPeerOptions['neighbors'][number]

const selectPeer = ({ address, localAddress }: FrrNeighbor, { multihop }: BfdPeerOptions): string =>
  `peer ${address} ${multihop ? 'multihop ' : ''}local-address ${localAddress}${multihop ? '' : ' interface eth0'}`

function configurePeer(neighbor: FrrNeighbor, options: BfdPeerOptions): readonly string[] {
  const { transmitInterval, receiveInterval, detectMultiplier, passive, minimumTtl, echoInterval, multihop } = {
    ...BFD_PEER_DEFAULTS,
    ...options,
  }
  const echo =
    echoInterval === undefined
      ? ['no echo-mode']
      : [`echo transmit-interval ${echoInterval}`, `echo receive-interval ${echoInterval}`, 'echo-mode']
  return [
    selectPeer(neighbor, options),
    `detect-multiplier ${detectMultiplier}`,
    `transmit-interval ${transmitInterval}`,
    `receive-interval ${receiveInterval}`,
    passive ? 'passive-mode' : 'no passive-mode',
    ...(multihop ? [] : echo),
    ...(minimumTtl === undefined ? [] : [`minimum-ttl ${minimumTtl}`]),
    'exit',
  ]
}

class Bfdd implements BfdPeer {
  readonly daemon: Daemon
  #options: BfdPeerOptions

  constructor(daemon: Daemon, options: BfdPeerOptions) {
    this.daemon = daemon
    this.#options = options
  }

  async start(): Promise<void> {
    const { daemon } = this
    daemon.write('bfdd.conf', '')
    await daemon.start({
      command: BFDD,
      args: bfddArguments(daemon),
      prepare: () => startZebra(daemon),
      ready: async () => {
        await this.change(this.#options)
        return true
      },
    })
  }

  async change(options: BfdPeerOptions): Promise<void> {
    this.#options = options
    await this.#configure(...options.neighbors.flatMap(neighbor => configurePeer(neighbor, options)))
  }

  async session(address = this.#options.neighbors[0]?.address): Promise<SeenBfdSession | undefined> {
    const [sessions, counters] = await Promise.all([
      this.#show<FrrSession>('show bfd peers json'),
      this.#show<FrrCounters>('show bfd peers counters json'),
    ])
    const seen = sessions.find(({ peer }) => peer === address)
    const counted = counters.find(({ peer }) => peer === address)
    if (!seen || !counted) return undefined
    return {
      state: STATES[seen.status] ?? 'Down',
      transmitInterval: Math.max(seen['transmit-interval'], seen['remote-receive-interval']),
      detectionTime:
        seen['remote-detect-multiplier'] * Math.max(seen['receive-interval'], seen['remote-transmit-interval']),
      details: {
        myDiscriminator: seen.id,
        yourDiscriminator: seen['remote-id'],
        detectMult: seen['detect-multiplier'],
        remoteDetectMult: seen['remote-detect-multiplier'],
        diagnostic: seen.diagnostic,
        remoteDiagnostic: seen['remote-diagnostic'],
        passive: seen['passive-mode'],
        echoPacketsReceived: counted['echo-packet-input'],
        echoPacketsSent: counted['echo-packet-output'],
        upTransitions: counted['session-up'],
        downTransitions: counted['session-down'],
      },
    }
  }

  disable(): Promise<void> {
    return this.#each('shutdown')
  }

  enable(): Promise<void> {
    return this.#each('no shutdown')
  }

  #each(command: string): Promise<void> {
    const { neighbors } = this.#options
    return this.#configure(...neighbors.flatMap(neighbor => [selectPeer(neighbor, this.#options), command, 'exit']))
  }

  async #configure(...commands: readonly string[]): Promise<void> {
    await vtysh(this.daemon, 'bfdd', 'configure terminal', 'bfd', ...commands)
  }

  async #show<T>(command: string): Promise<readonly T[]> {
    return JSON.parse(await vtysh(this.daemon, 'bfdd', command)) as readonly T[]
  }
}

export const bfdd: BfdPeerKind = {
  name: 'FRR',
  missing: missingBfdd,
  async start(host: Host, options: BfdPeerOptions) {
    const peer = new Bfdd(new Daemon(host, 'bfdd'), options)
    await peer.start()
    return peer
  },
}
