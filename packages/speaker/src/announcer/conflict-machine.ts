/** A second owner of an address from its first frame to its end: what to find out, who gives way, what to tell. Pure. */
import { resolveConflict } from './conflict-rule.js'
import type { AddressElection, Resolution } from './conflict-rule.js'

/** Milliseconds on the caller's monotonic clock. */
export type Instant = number

/** A host claims an address of ours on one interface. */
export interface Claim {
  readonly address: string
  readonly interface: string
  /** `02:00:00:00:00:01` */
  readonly mac: string
}

/** A conflict that was made sure of. */
export interface Conflict extends Claim {
  /** The node that the MAC address belongs to; absent when it is none that is known. */
  readonly node?: string
  readonly resolution: Resolution
  readonly since: Instant
}

/** What has happened. */
export type ConflictEvent =
  | ({ readonly type: 'sighting' } & Claim)
  /** Answers `identify`: `node` is `undefined` when the host is none of the nodes. */
  | { readonly type: 'identified'; readonly mac: string; readonly node: string | undefined }
  /** Answers `check`. */
  | ({ readonly type: 'checked'; readonly present: boolean } & Claim)
  /** This node is no longer to announce the address. */
  | { readonly type: 'dropped'; readonly address: string }

/** What to do, in this order. */
export type ConflictAction =
  /** Find out which node has this MAC address. */
  | { readonly type: 'identify'; readonly mac: string; readonly interface: string }
  /** Ask this host whether it has the address. */
  | ({ readonly type: 'check' } & Claim)
  /** `announce`: with all rounds; `defend`: one round. */
  | { readonly type: 'announce' | 'defend' | 'yield' | 'resume'; readonly address: string }
  | { readonly type: 'begun' | 'over'; readonly conflict: Conflict }

/** How a {@link ConflictMachine} decides. */
export interface ConflictMachineOptions {
  /** This node. */
  readonly node: string
  /** What the election of an address is decided by; `undefined` when this node does not announce it. */
  readonly electionOf: (address: string) => AddressElection | undefined
}

/** Milliseconds that a claim may take to explain itself: the ring hears of most new owners in the same moment. */
const GRACE = 200
/**
 * Milliseconds until a conflict that we win is worth a word: a node that joins the ring in these, or hears that we have, gives way by
 * itself.
 */
const SETTLE = 1_000
/**
 * Milliseconds from our first word until a node that answers on stands by its claim: it has heard us twice, since frames get lost, and had
 * the time to make sure of us.
 */
const STAND = 2_500
/** Milliseconds within which a node that stops answering after we have yielded has yielded, too, rather than died. */
const MUTUAL = 4_000
/** Milliseconds for which that is remembered. */
const DISPUTE_MEMORY = 60_000
/** Milliseconds between two questions whether the other host is still there. */
const RECHECK = 1_000
/** Milliseconds until the next question when one was not answered. */
const DOUBT = 250
/** Questions without an answer after which it is gone. */
const MISSES = 2
/** DEFEND_INTERVAL (RFC 5227 §1.1): against a stranger, who may never give way, no more often. */
const DEFEND_INTERVAL = 10_000
/** Against a node, which gives way as soon as it hears. */
const NODE_DEFEND_INTERVAL = 1_000
/** Milliseconds for which it is believed who a MAC address belongs to. */
const IDENTITY_LIFETIME = 30_000
/** Questions under way at once. */
const CHECKS = 32
/** Questions to one host in {@link RECHECK}: a host that answers for some of thousands of addresses is there, and is believed for the others. */
const CHECKS_OF_HOST = 8
/** Addresses that a host has let go one after the other, after which it is gone as a whole. */
const GONE_OF_HOST = 3
/** Hosts that are identified at once. */
const IDENTIFY = 4
/** Conflicts that are looked after; what comes beyond is left to the log of layer 2. */
const CAPACITY = 8_192
const IDENTITIES = 1_024

/** Who claims, on one interface. */
interface ClaimingHost {
  readonly mac: string
  readonly interface: string
  readonly cases: Set<Case>
  /** When {@link asked} began to be counted. */
  since: Instant
  asked: number
  /** When it last answered for an address. */
  presentAt: Instant
  /** Addresses that it has let go since, of those that were left to it. */
  gone: number
  /** And of the others: a node that gives way lets them go, and lives. */
  conceded: number
  /** It is still to be identified. */
  waits: boolean
}

interface Case extends Claim {
  readonly host: ClaimingHost
  readonly since: Instant
  checkAt: Instant
  /** A question is under way or waits for its turn. */
  asking: boolean
  misses: number
  /** It has answered, so it is no echo of the past. */
  present: boolean
  defendedAt: Instant
  /** Whether it is known who it is. */
  identified: boolean
  node: string | undefined
  /** Once it is sure. */
  resolution: Resolution | undefined
  /** Since when it is so, or this one is known for who it is. */
  resolvedAt: Instant
  /** Whether anybody was told. */
  told: boolean
}

interface Identity {
  readonly at: Instant
  readonly node: string | undefined
}

/**
 * Looks after all conflicts of a node. A claim is made sure of by a question to the host that made it, because the last words of an
 * owner that has just given way look the same. Reads no clock.
 */
export class ConflictMachine {
  readonly #options: ConflictMachineOptions
  readonly #cases = new Map<string, Case>()
  readonly #byAddress = new Map<string, Set<Case>>()
  readonly #identities = new Map<string, Identity>()
  readonly #hosts = new Map<string, ClaimingHost>()
  /** MAC addresses that are being identified, and hosts that wait for it. */
  readonly #identifying = new Set<string>()
  readonly #unidentified: ClaimingHost[] = []
  readonly #queue: Case[] = []
  /** Addresses that both had left to each other, and when that was seen. */
  readonly #dropped = new Map<string, Instant>()
  #checking = 0
  #next = Infinity
  #actions: ConflictAction[] = []

  constructor(options: ConflictMachineOptions) {
    this.#options = options
  }

  /** When {@link handleTimeout} is next due; `undefined` while nothing is. */
  get nextTimeout(): Instant | undefined {
    return this.#next === Infinity ? undefined : this.#next
  }

  /** The conflicts that were told and are not over. */
  get conflicts(): readonly Conflict[] {
    return [...this.#cases.values()]
      .filter(isSure)
      .filter(found => found.told)
      .map(conflictOf)
  }

  /** Whether anything is known against an address. */
  concerns(address: string): boolean {
    return this.#byAddress.has(address)
  }

  /** @returns what the caller must now do, in this order */
  handle(event: ConflictEvent, now: Instant): readonly ConflictAction[] {
    this.#actions = []
    switch (event.type) {
      case 'sighting':
        this.#sight(event, now)
        break
      case 'identified':
        this.#identify(event.mac, event.node, now)
        break
      case 'checked':
        this.#checked(event, event.present, now)
        break
      case 'dropped':
        for (const found of this.#byAddress.get(event.address) ?? []) this.#end(found)
        break
      default:
        event satisfies never
    }
    this.#pump()
    return this.#actions
  }

  /** Asks what is due at `now`. */
  handleTimeout(now: Instant): readonly ConflictAction[] {
    this.#actions = []
    this.#next = Infinity
    for (const found of this.#cases.values()) {
      if (found.asking) continue
      if (found.checkAt > now) this.#next = Math.min(this.#next, found.checkAt)
      else this.#due(found, now)
    }
    this.#pump()
    return this.#actions
  }

  /** Asks its host, or believes what it has answered for other addresses. */
  #due(found: Case, now: Instant): void {
    const { host } = found
    if (now - host.since >= RECHECK) Object.assign(host, { since: now, asked: 0 })
    if (found.misses > 0 || host.asked < CHECKS_OF_HOST) {
      host.asked++
      found.asking = true
      this.#queue.push(found)
      // To the end, so that others are asked the next time.
      this.#cases.delete(keyOf(found))
      this.#cases.set(keyOf(found), found)
    } else if (now - host.presentAt <= RECHECK + DOUBT) {
      this.#askAt(found, now + RECHECK)
      this.#present(found, now)
    } else this.#askAt(found, now + DOUBT)
  }

  #sight(claim: Claim, now: Instant): void {
    const known = this.#cases.get(keyOf(claim))
    if (known) return this.#defend(known, now)
    if (this.#cases.size >= CAPACITY || !this.#options.electionOf(claim.address)) return
    const { address, interface: on, mac } = claim
    const host = this.#hostOf(mac, on)
    const found: Case = {
      address, interface: on, mac, host, since: now, checkAt: 0, asking: false, misses: 0, present: false,
      defendedAt: -Infinity, identified: false, node: undefined, resolution: undefined,
      resolvedAt: Infinity, told: false,
    } // prettier-ignore
    this.#cases.set(keyOf(claim), found)
    host.cases.add(found)
    const others = this.#byAddress.get(address)
    if (others) others.add(found)
    else this.#byAddress.set(address, new Set([found]))
    this.#askAt(found, now + GRACE)
    const identity = this.#identities.get(mac)
    if (identity && now - identity.at < IDENTITY_LIFETIME) {
      Object.assign(found, { identified: true, node: identity.node })
      return this.#defendEarly(found, now)
    }
    this.#askWho(host)
  }

  #askWho(host: ClaimingHost): void {
    if (host.waits || this.#identifying.has(host.mac)) return
    host.waits = true
    this.#unidentified.push(host)
  }

  #hostOf(mac: string, on: string): ClaimingHost {
    const key = `${on} ${mac}`
    const known = this.#hosts.get(key)
    if (known) return known
    const host = {
      mac,
      interface: on,
      cases: new Set<Case>(),
      since: -Infinity,
      asked: 0,
      presentAt: -Infinity,
      gone: 0,
      conceded: 0,
      waits: false,
    }
    this.#hosts.set(key, host)
    return host
  }

  #identify(mac: string, node: string | undefined, now: Instant): void {
    this.#identifying.delete(mac)
    if (this.#identities.size >= IDENTITIES) this.#identities.clear()
    this.#identities.set(mac, { at: now, node })
    for (const host of this.#hosts.values()) {
      if (host.mac === mac) for (const found of host.cases) this.#identified(found, node, now)
    }
  }

  #identified(found: Case, node: string | undefined, now: Instant): void {
    // Who becomes known to us as a node may have learned just now that we are one.
    const resolvedAt = isSure(found) && found.node !== node ? now : found.resolvedAt
    Object.assign(found, { identified: true, node, resolvedAt })
    if (isSure(found)) this.#decide(found, now)
    else if (found.present) this.#confirm(found, now)
    else this.#defendEarly(found, now)
  }

  /** A node that comes behind us gives way the sooner, the sooner it hears of us; should it have gone already, one round does no harm. */
  #defendEarly(found: Case, now: Instant): void {
    if (found.node === undefined || this.#judge(found, now) !== 'defend') return
    found.defendedAt = now
    this.#actions.push({ type: 'defend', address: found.address })
  }

  #checked(claim: Claim, present: boolean, now: Instant): void {
    this.#checking--
    const found = this.#cases.get(keyOf(claim))
    if (!found) return
    found.asking = false
    const { host } = found
    if (present) {
      Object.assign(host, { presentAt: now, gone: 0, conceded: 0 })
      this.#askAt(found, now + RECHECK)
      return this.#present(found, now)
    }
    found.present = false
    if (++found.misses < MISSES) return this.#askAt(found, now + DOUBT)
    const wasLeftToIt = found.resolution === 'yield'
    this.#gone(found, now)
    if ((wasLeftToIt ? ++host.gone : ++host.conceded) < GONE_OF_HOST) return
    for (const other of host.cases) if (wasLeftToIt || other.resolution !== 'yield') this.#gone(other, now)
  }

  #present(found: Case, now: Instant): void {
    found.misses = 0
    found.present = true
    const identity = this.#identities.get(found.mac)
    // Who was a stranger may be a node: it is newer than what was known of the cluster then.
    if (found.identified && found.node === undefined && !(identity && now - identity.at < IDENTITY_LIFETIME)) {
      this.#askWho(found.host)
    }
    if (isSure(found)) this.#decide(found, now)
    else if (found.identified) this.#confirm(found, now)
  }

  #confirm(found: Case, now: Instant): void {
    const resolution = this.#judge(found, now)
    if (resolution === undefined) return this.#end(found)
    Object.assign(found, { resolution, resolvedAt: now })
    if (resolution === 'yield') return this.#yield(found)
    if (found.node === undefined) this.#defend(found, now)
    else {
      found.defendedAt = now
      // All rounds: neighbours that have heard the other one within the last second pass over the first.
      this.#actions.push({ type: 'announce', address: found.address })
    }
    this.#tell(found, now)
  }

  /** What it is decided by may have changed meanwhile: nodes, weights, who it is. */
  #decide(found: Case, now: Instant): void {
    const resolution = this.#judge(found, now)
    if (resolution === undefined) return this.#end(found)
    if (resolution === found.resolution) {
      this.#defend(found, now)
      return this.#tell(found, now)
    }
    Object.assign(found, { resolution, resolvedAt: now, told: false })
    if (resolution === 'yield') return this.#yield(found)
    this.#resume(found.address)
    this.#tell(found, now)
  }

  #tell(found: Case, now: Instant): void {
    if (found.told || !isSure(found)) return
    // Also not while we go on only to see whether the other one gives way.
    if (found.resolution === 'defend' && (now - found.since < SETTLE || this.#judge(found, now, true) === 'yield'))
      return
    found.told = true
    this.#actions.push({ type: 'begun', conflict: conflictOf(found) })
  }

  #defend(found: Case, now: Instant): void {
    if (found.resolution !== 'defend') return
    const since = now - found.defendedAt
    if (since < NODE_DEFEND_INTERVAL || since < this.#defendInterval(found)) return
    found.defendedAt = now
    this.#actions.push({ type: 'defend', address: found.address })
  }

  /** Who knows the past only leaves the last word to the other node, which may know better. */
  #defendInterval({ node, address }: Case): number {
    if (node === undefined || this.#options.electionOf(address)?.outdated === true) return DEFEND_INTERVAL
    return NODE_DEFEND_INTERVAL
  }

  #yield(found: Case): void {
    const { address } = found
    const yielding = [...(this.#byAddress.get(address) ?? [])].filter(({ resolution }) => resolution === 'yield')
    if (yielding.length === 1) this.#actions.push({ type: 'yield', address })
    this.#tell(found, found.since)
  }

  #resume(address: string): void {
    for (const { resolution } of this.#byAddress.get(address) ?? []) if (resolution === 'yield') return
    this.#actions.push({ type: 'resume', address })
  }

  /** It no longer answers. Whoever has believed it is to hear of us again. */
  #gone(found: Case, now: Instant): void {
    const { resolution, resolvedAt, address } = found
    this.#end(found)
    if (resolution !== 'yield') return void this.#actions.push({ type: 'defend', address })
    this.#resume(address)
    const isAnswered = [...(this.#byAddress.get(address) ?? [])].some(({ present }) => present)
    if (isAnswered || now - resolvedAt >= MUTUAL) return
    if (this.#dropped.size >= CAPACITY) this.#dropped.clear()
    this.#dropped.set(address, now)
  }

  #end(found: Case): void {
    const { host } = found
    this.#cases.delete(keyOf(found))
    host.cases.delete(found)
    if (host.cases.size === 0) this.#hosts.delete(`${host.interface} ${host.mac}`)
    const others = this.#byAddress.get(found.address)
    others?.delete(found)
    if (others?.size === 0) this.#byAddress.delete(found.address)
    if (isSure(found) && found.told) this.#actions.push({ type: 'over', conflict: conflictOf(found) })
  }

  #judge(found: Case, now: Instant, stands = hasStood(found, now)): Resolution | undefined {
    const { address, node } = found
    const election = this.#options.electionOf(address)
    if (!election) return undefined
    const isDisputed = now - (this.#dropped.get(address) ?? -Infinity) < DISPUTE_MEMORY
    return resolveConflict(this.#options.node, node, election, { stands, bare: isDisputed ? address : undefined })
  }

  #askAt(found: Case, at: Instant): void {
    found.checkAt = at
    this.#next = Math.min(this.#next, at)
  }

  #pump(): void {
    while (this.#identifying.size < IDENTIFY) {
      const host = this.#unidentified.shift()
      if (!host) break
      host.waits = false
      if (host.cases.size === 0 || this.#identifying.has(host.mac)) continue
      this.#identifying.add(host.mac)
      this.#actions.push({ type: 'identify', mac: host.mac, interface: host.interface })
    }
    while (this.#checking < CHECKS) {
      const found = this.#queue.shift()
      if (!found) return
      if (this.#cases.get(keyOf(found)) !== found) continue
      this.#checking++
      const { address, interface: on, mac } = found
      this.#actions.push({ type: 'check', address, interface: on, mac })
    }
  }
}

/** Whether a node answers on although it must have heard us. */
const hasStood = ({ resolution, resolvedAt, present }: Case, now: Instant): boolean =>
  resolution === 'yield' || (resolution === 'defend' && present && now - resolvedAt >= STAND)

/** What the world is told. */
function conflictOf({
  address,
  interface: on,
  mac,
  node,
  resolution,
  since,
}: Case & { readonly resolution: Resolution }): Conflict {
  return { address, interface: on, mac, resolution, since, ...(node !== undefined && { node }) }
}

const keyOf = ({ address, interface: on, mac }: Claim): string => `${address} ${on} ${mac}`

const isSure = (found: Case): found is Case & { readonly resolution: Resolution } => found.resolution !== undefined
