/** Our own speakers, as tests put them opposite each other. */
import { once } from 'node:events'
import { BgpSpeaker, type BgpSpeakerOptions, type Logger, type Peer, type RouteChange } from '@typemetal/bgp'
import type { UpdateMessage } from '@typemetal/bgp/wire'
import { hex } from './octets.js'

export const LOCAL = '127.0.0.1'
export const listen = { address: LOCAL, port: 0 }

/** Until a fact holds; the events that make it so are on their way. */
export async function until(fact: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 60_000
  while (!fact()) {
    if (performance.now() > end) throw new Error(`timed out: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 2))
  }
}

export interface Router extends AsyncDisposable {
  readonly speaker: BgpSpeaker
  readonly port: number
  /** Its Loc-RIB, as its events tell. */
  readonly routes: Map<string, RouteChange>
}

/** A started speaker, AS 64513, which keeps count of its routes. */
export async function createRouter(options: Partial<BgpSpeakerOptions> = {}): Promise<Router> {
  const speaker = new BgpSpeaker({ asn: 64_513, bgpIdentifier: '10.0.0.254', listen, ...options })
  const routes = new Map<string, RouteChange>()
  speaker.on('route', change => {
    if (change.paths.length > 0) routes.set(change.prefix, change)
    else routes.delete(change.prefix)
  })
  await speaker.start()
  return { speaker, port: speaker.port!, routes, [Symbol.asyncDispose]: () => speaker.close() }
}

/** A speaker of AS 64512 that only dials. */
export const createNode = (options: Partial<BgpSpeakerOptions> = {}): BgpSpeaker =>
  new BgpSpeaker({ asn: 64_512, bgpIdentifier: '10.0.0.1', ...options })

export const established = async (...peers: readonly Peer[]): Promise<void> =>
  until(() => peers.every(({ state }) => state === 'Established'), 'Established')

/** The next dynamic peer of a speaker. */
export async function nextPeer(speaker: BgpSpeaker): Promise<Peer> {
  const [peer] = (await once(speaker, 'peer')) as [Peer]
  return peer
}

/** An UPDATE with a prefix out of 192.0.2.0/24. */
export const update = (asns: readonly number[], length = 24, more: object = {}): UpdateMessage => ({
  type: 'update',
  withdrawnRoutes: [],
  pathAttributes: { origin: 0, asPath: [{ type: 2, asns }], nextHop: hex('0a000002'), ...more },
  nlri: [{ length, prefix: hex('c00002').subarray(0, (length + 7) >> 3) }],
})

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly [field: string]: unknown
}

/** A log that keeps its lines. */
export class RecordingLog implements Logger {
  readonly lines: LogLine[]
  readonly #fields: object

  constructor(lines: LogLine[] = [], fields: object = {}) {
    this.lines = lines
    this.#fields = fields
  }

  debug(fields: object, message: string): void {
    this.#add('debug', fields, message)
  }

  info(fields: object, message: string): void {
    this.#add('info', fields, message)
  }

  warn(fields: object, message: string): void {
    this.#add('warn', fields, message)
  }

  error(fields: object, message: string): void {
    this.#add('error', fields, message)
  }

  child(fields: object): Logger {
    return new RecordingLog(this.lines, { ...this.#fields, ...fields })
  }

  /** Lines of a level and above it, as text with their fields. */
  at(...levels: readonly LogLine['level'][]): readonly LogLine[] {
    return this.lines.filter(({ level }) => levels.includes(level))
  }

  #add(level: LogLine['level'], fields: object, message: string): void {
    this.lines.push({ level, message, ...this.#fields, ...fields })
  }
}
