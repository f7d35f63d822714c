/** What the tests of the answerer share: one in a virtual world, and what it reported. */
import { arpRequest, type AddressCounters, type InterfaceSelection } from '@typemetal/arp-ndp/responder'
import { parseAddress } from '../dist/address.js'
import { Answerer } from '../dist/node/answerer.js'
import type { AddressConflict, Answers, Report, WorkerOptions } from '../dist/node/messages.js'
import type { AddressChange } from '../dist/node/packed-change.js'
import { hex } from './octets.js'
import { VirtualPlatform, type VirtualSocket } from './virtual-platform.js'

const OPTIONS: WorkerOptions = {
  excludeInterfaces: ['^lo$'],
  scanInterval: 10_000,
  refreshInterval: undefined,
  gratuitousRate: 200_000,
  defend: 'never',
  raisesPriority: false,
}

/** An answerer with short ways to tell it things. */
export class World {
  readonly platform = new VirtualPlatform()
  readonly reports: Report[] = []
  readonly answerer: Answerer

  /** @param prepare what to do with the platform before anything looks at it */
  constructor(options: Partial<WorkerOptions> = {}, prepare: (platform: VirtualPlatform) => void = () => {}) {
    prepare(this.platform)
    this.answerer = new Answerer(this.platform, { ...OPTIONS, ...options }, report => this.reports.push(report))
  }

  /** One that has been started. */
  static started(options?: Partial<WorkerOptions>, prepare?: (platform: VirtualPlatform) => void): World {
    const world = new World(options, prepare)
    world.answerer.start()
    return world
  }

  set(...set: readonly AddressChange[]): void {
    this.answerer.obey({ type: 'change', set, remove: [] })
  }
  remove(...remove: readonly string[]): void {
    this.answerer.obey({ type: 'change', set: [], remove })
  }
  ask<Q extends keyof Answers>(question: Q): Answers[Q] {
    this.answerer.obey({ type: 'ask', id: 1, question })
    const answer = this.of('answer').at(-1)
    if (answer === undefined) throw new Error(`${question} was not answered`)
    return answer.value as Answers[Q]
  }
  counters(address: string): AddressCounters | undefined {
    return this.ask('counters').get(address)
  }
  /** Reports of one type. */
  of<T extends Report['type']>(type: T): Extract<Report, { type: T }>[] {
    return this.reports.filter((report): report is Extract<Report, { type: T }> => report.type === type)
  }
  /** `create arp eth0` */
  get changes(): string[] {
    return this.of('responder').map(({ change }) => `${change.action} ${change.protocol} ${change.interface}`)
  }
  get logs(): string[] {
    return this.of('log').map(({ message }) => message)
  }
  get conflicts(): AddressConflict[] {
    return this.of('conflict').flatMap(({ conflicts }) => conflicts)
  }
  get over(): AddressConflict[] {
    return this.of('conflict-over').flatMap(({ conflicts }) => conflicts)
  }
}

/** An address to set. */
export const wanted = (address: string, interfaces: InterfaceSelection = 'all'): AddressChange => ({
  ...parseAddress(address),
  interfaces,
})
/** So many IPv4 addresses. */
export const many = (count: number): AddressChange[] =>
  Array.from({ length: count }, (_, i) => wanted(`10.0.${i >> 8}.${i & 255}`))
export const V4 = wanted('192.0.2.1')
export const V6 = wanted('2001:db8::1')
/** Source MAC addresses of what a socket sent. */
export const senders = (socket: VirtualSocket): string[] => [
  ...new Set(socket.sent.map(frame => Buffer.from(frame.subarray(6, 12)).toString('hex'))),
]
/** An ARP request of a neighbour. */
export const request = (address: Uint8Array): Uint8Array => arpRequest(hex('020000000099'), hex('c000024d'), address)
