import type { Address, Service } from '@typemetal/cluster'
import { quote, quoteAddresses, quoteList } from '../allocator/address.js'
import type { Allocation } from '../allocator/allocation.js'
import type { Allocator } from '../allocator/allocator.js'
import type { AddressRequest, Refusal } from '../allocator/request.js'
import { deprecatedAnnotations } from './annotations.js'
import { parseAddressList, type AddressList, type Unusable } from './families.js'
import { ingressIPs, withAddresses, withoutAddresses } from './ingress.js'
import type { Note } from './note.js'
import { type Notice, Reason } from './service-event.js'
import { reserve, standingAddresses } from './standing.js'
import {
  clusterIPsOf,
  desiredAddresses,
  desiredPool,
  familyPolicyOf,
  requestOf,
  sameSet,
  serviceKey,
} from './wishes.js'

/** What a Service should be like, and what there is to say about it. */
export interface Convergence {
  /** The Service with the wanted status and annotations; the same object when there is nothing to write. */
  readonly service: Service
  readonly notices: readonly Notice[]
  readonly notes: readonly Note[]
  /** Why the Service could not be served; absent when it was, or needs nothing. */
  readonly failure?: string
  /** It lacks an address that it may get once something is released. */
  readonly waiting: boolean
}

/**
 * Brings one Service and the allocator together: keeps the addresses that its status names when they are still right,
 * and otherwise finds new ones. The same Service, pools and other allocations always give the same answer, and the answer
 * applied gives itself again.
 */
export function converge(service: Service, allocator: Allocator): Convergence {
  return new Pass(service, allocator).run()
}

/** One run over the steps; the numbers in the comments are those of the table in the README. */
class Pass {
  readonly #service: Service
  readonly #allocator: Allocator
  readonly #key: string
  readonly #desired: AddressList | Unusable | undefined
  readonly #notices: Notice[] = []
  readonly #notes: Note[] = []
  #waiting = false

  constructor(service: Service, allocator: Allocator) {
    this.#service = service
    this.#allocator = allocator
    this.#key = serviceKey(service)
    this.#desired = desiredAddresses(service)
  }

  run(): Convergence {
    const clusterIPs = clusterIPsOf(this.#service)
    if (this.#service.spec?.type !== 'LoadBalancer') return this.#cleared('notLoadBalancer') // 1
    if (this.#allocator.poolCount === 0) return this.#cleared('noConfig', 'there are no address pools') // 2
    if (clusterIPs.length === 0) return this.#cleared('noClusterIPs', 'the Service has no cluster IP') // 3
    if (familyPolicyOf(this.#service) === 'RequireDualStack' && clusterIPs.length < 2)
      return this.#notEnough(clusterIPs) // 5
    const lbIPs = ingressIPs(this.#service)
    const cluster = parseAddressList(clusterIPs)
    if (lbIPs.length === 0) {
      this.#release('noIPs') // 6
      return 'error' in cluster ? this.#failed(cluster.error) : this.#allocate(requestOf(this.#service, cluster.family))
    }
    const held = parseAddressList(lbIPs)
    if ('error' in held) this.#notice('Warning', Reason.noLoadBalancerFamily, nonsense(lbIPs, held.error)) // 7
    if ('error' in cluster) return this.#undeterminable(clusterIPs, cluster.error) // 8
    const request = requestOf(this.#service, cluster.family)
    const kept = this.#keep(request, held) // 9 to 11 and 13
    if (this.#desired && 'error' in this.#desired) return this.#wishUnusable(this.#desired.error, kept) // 12
    return kept ? this.#extend(request, kept) : this.#allocate(request)
  }

  /** Steps 9 to 11 and 13: what the status names stays, if it may. */
  #keep(request: AddressRequest, held: AddressList | Unusable): Allocation | undefined {
    const standing = standingAddresses(this.#service, request, held)
    if (!standing) return this.#release('familyChanged')
    const kept = this.#allocator.assign(request, standing)
    if ('refusal' in kept) {
      const message = `current IP for ${quote(this.#key)} not allowed by config, will attempt for new IP assignment: ${kept.refusal}`
      this.#notice('Normal', Reason.clearAssignment, message)
      return this.#release('notAllowedByConfig', kept.refusal)
    }
    const pool = desiredPool(this.#service)
    if (pool !== '' && pool !== kept.pool) return this.#release('differentPoolRequested')
    const desired = this.#desired
    const moved = desired && !('error' in desired) && !sameSet(desired.addresses, kept.addresses)
    return moved ? this.#release('differentIPRequested') : kept
  }

  /**
   * Step 14: a dual-stack Service with one address that prefers two is offered the other. Not one that named its one
   * address: the next pass would take the second away again.
   */
  #extend(request: AddressRequest, kept: Allocation): Convergence {
    const content = kept.addresses.length > 1 || request.family !== 'dual' || request.policy !== 'PreferDualStack'
    if (content || this.#desired) return this.#granted(kept)
    this.#note('debug', 'tryAssignAdditionalIP', 'trying to assign an additional IP')
    const both = this.#allocator.addFamily(request)
    if ('refusal' in both) {
      this.#waiting = true
      const message = `cannot assign additional IP in PreferDualStack: ${both.refusal}`
      this.#notice('Normal', Reason.additionalAssignFailed, message)
      return this.#granted(kept)
    }
    const added = both.addresses.filter(address => !kept.addresses.includes(address))
    this.#allocated(added, both.pool, `Assigned additional IP ${added.map(({ text }) => quote(text)).join(' ')}`)
    return this.#granted(both)
  }

  /** Step 15. */
  #allocate(request: AddressRequest): Convergence {
    const found = this.#find(request)
    if ('refusal' in found) {
      this.#waiting = true
      return this.#failed(found.refusal)
    }
    this.#allocated(found.addresses, found.pool, `Assigned IP ${quoteAddresses(found.addresses)}`)
    return this.#granted(found)
  }

  #find(request: AddressRequest): Allocation | Refusal {
    const desired = this.#desired
    const pool = desiredPool(this.#service)
    if (!desired) return pool ? this.#allocator.allocateFrom(pool, request) : this.#allocator.allocate(request)
    if ('error' in desired) return { refusal: desired.error }
    if (desired.family !== request.family) {
      const ips = quoteAddresses(desired.addresses)
      return { refusal: `requested loadBalancer IP(s) ${ips} does not match the ipFamily of the service` }
    }
    return pool
      ? this.#allocator.assignFrom(pool, request, desired.addresses)
      : this.#allocator.assign(request, desired.addresses)
  }

  /** Step 17. */
  #granted({ addresses, pool }: Allocation): Convergence {
    return this.#result(withAddresses(this.#service, addresses, pool))
  }

  /** Step 15 without success: the Service is left without addresses. */
  #failed(error: string): Convergence {
    this.#notice('Warning', Reason.allocationFailed, `Failed to allocate IP for ${quote(this.#key)}: ${error}`)
    this.#note('error', 'allocationFailed', 'no address for the service', { error })
    return this.#result(withoutAddresses(this.#service), error)
  }

  /** Step 5. */
  #notEnough(clusterIPs: readonly string[]): Convergence {
    const message = `Service requires dual stack but not enough clusterips ${quoteList(clusterIPs)}`
    this.#notice('Warning', Reason.notEnoughClusterIPs, message)
    return this.#cleared('notEnoughClusterIPs', message)
  }

  /** Step 8: nothing is taken from a Service that cannot be judged. */
  #undeterminable(clusterIPs: readonly string[], error: string): Convergence {
    reserve(this.#service, this.#allocator)
    const ips = `${quoteList(clusterIPs)} ${this.#service.spec?.clusterIP ?? ''}`.trimEnd()
    this.#notice('Warning', Reason.noClusterFamily, `Failed to retrieve ClusterIPs IPFamily for ${ips}: ${error}`)
    return this.#result(this.#service, error)
  }

  /** Step 12: a wish that makes no sense changes nothing. */
  #wishUnusable(error: string, held: Allocation | undefined): Convergence {
    this.#notice('Warning', Reason.loadBalancerFailed, `invalid requested loadbalancer IPs: ${error}`)
    const service = held ? withAddresses(this.#service, held.addresses, held.pool) : withoutAddresses(this.#service)
    return this.#result(service, error)
  }

  #cleared(reason: string, failure?: string): Convergence {
    this.#release(reason)
    return this.#result(withoutAddresses(this.#service), failure)
  }

  #result(service: Service, failure?: string): Convergence {
    if (service !== this.#service) {
      for (const key of deprecatedAnnotations(this.#service)) {
        this.#notice('Warning', Reason.deprecatedAnnotation, `Service uses deprecated annotation ${key}`)
        this.#note('warn', 'deprecatedAnnotation', 'service uses a deprecated annotation', { annotation: key })
      }
    }
    const verdict = { service, notices: this.#notices, notes: this.#notes, waiting: this.#waiting }
    return failure === undefined ? verdict : { ...verdict, failure }
  }

  /** Takes away what the Service holds; says so when there was something. */
  #release(reason: string, error?: string): undefined {
    if (this.#allocator.get(this.#key) || ingressIPs(this.#service).length > 0) {
      this.#note(
        'info',
        'clearAssignment',
        'addresses taken from the service',
        error === undefined ? { reason } : { reason, error },
      )
    }
    this.#allocator.release(this.#key)
  }

  #allocated(addresses: readonly Address[], pool: string, message: string): void {
    this.#notice('Normal', Reason.ipAllocated, message)
    this.#note('info', 'ipAllocated', 'IP address assigned by controller', {
      ips: addresses.map(({ text }) => text),
      pool,
    })
  }

  #notice(type: Notice['type'], reason: Reason, message: string): void {
    this.#notices.push({ type, reason, message })
  }

  #note(level: Note['level'], event: string, message: string, fields: Note['fields'] = {}): void {
    this.#notes.push({ level, message, fields: { event, service: this.#key, ...fields } })
  }
}

const nonsense = (lbIPs: readonly string[], error: string): string =>
  `Failed to retrieve LBIPs IPFamily for ${quoteList(lbIPs)}: ${error}`
