/**
 * Which layer-2 Services a MetalLB speaker announces, written from the description of MetalLB's behaviour alone: nothing of this
 * project's own decisions is used, so that the two can be held against each other.
 */
import { createHash } from 'node:crypto'
import type { AnyObject } from '../scenario/cluster.js'

/** Releases that elect differently. */
export type Release = '0.15' | '0.16' | 'main'

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}
interface Advertisement {
  readonly ipAddressPools?: readonly string[]
  readonly nodeSelectors?: readonly Selector[]
  readonly serviceSelectors?: readonly Selector[]
  readonly preferredNodeSelectors?: readonly { readonly weight: number; readonly preference: Selector }[]
}
interface Endpoint {
  readonly nodeName?: string
  readonly conditions?: { readonly ready?: boolean; readonly serving?: boolean }
}
type Labels = Readonly<Record<string, string>>

const SHARED = ['metallb.io/allow-shared-ip', 'metallb.universe.tf/allow-shared-ip']
const EXCLUDED = 'node.kubernetes.io/exclude-from-external-load-balancers'

const labelsOf = (object: AnyObject): Labels => object.metadata.labels ?? {}
const specOf = (object: AnyObject): object => (object as { readonly spec?: object }).spec ?? {}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key]
      if (operator === 'Exists') return value !== undefined
      if (operator === 'DoesNotExist') return value === undefined
      const listed = value !== undefined && values.includes(value)
      return operator === 'In' ? listed : !listed
    })
  )
}

const selectsAny = (selectors: readonly Selector[] | undefined, labels: Labels): boolean =>
  !selectors?.length || selectors.some(selector => selects(selector, labels))

/** Go's `net.IP.String()`, by what a URL makes of the host. */
const canonical = (ip: string): string => (ip.includes(':') ? new URL(`http://[${ip}]`).hostname.slice(1, -1) : ip)

const digests = new Map<string, Buffer>()

function digestOf(node: string, ip: string): Buffer {
  const text = `${node}#${ip}`
  const digest = digests.get(text) ?? createHash('sha256').update(text, 'utf8').digest()
  digests.set(text, digest)
  return digest
}

/** What the API server holds, by kind. */
export class MetalLBModel {
  readonly #objects: readonly AnyObject[]
  readonly #release: Release

  constructor(objects: readonly AnyObject[], release: Release) {
    this.#objects = objects
    this.#release = release
  }

  #all(kind: string): readonly AnyObject[] {
    return this.#objects.filter(object => object.kind === kind)
  }

  /**
   * Names of the Services that the speaker on a node announces.
   * @param members names of the live members of the ring, as this speaker sees it
   */
  announcedBy(node: string, members: readonly string[]): ReadonlySet<string> {
    const services = this.#all('Service').filter(service => this.#announces(service, node, members))
    return new Set(services.map(({ metadata }) => metadata.name))
  }

  #announces(service: AnyObject, node: string, members: readonly string[]): boolean {
    const { name, annotations = {} } = service.metadata
    const slices = this.#all('EndpointSlice').filter(
      slice => labelsOf(slice)['kubernetes.io/service-name'] === name,
    ) as readonly (AnyObject & { readonly endpoints?: readonly Endpoint[] })[]
    const active = slices.flatMap(({ endpoints = [] }) => endpoints).filter(isActive)
    if (active.length === 0) return false
    const ads = this.#advertisementsFor(service)
    const isShared = SHARED.some(key => annotations[key] !== undefined)
    const hasSelectors = ads.some(ad => ad.serviceSelectors?.length)
    if (this.#release === 'main' && isShared && hasSelectors) return false
    if (!ads.some(ad => this.#nodesOf(ad).has(node))) return false
    let candidates = members.filter(member => this.#isUsable(member) && ads.some(ad => this.#nodesOf(ad).has(member)))
    const { externalTrafficPolicy: policy } = specOf(service) as { readonly externalTrafficPolicy?: string }
    if (policy === 'Local') {
      const local = new Set(active.map(({ nodeName }) => nodeName))
      candidates = candidates.filter(candidate => local.has(candidate))
    }
    const { status } = service as { readonly status?: { loadBalancer?: { ingress?: readonly { ip: string }[] } } }
    const [first] = status?.loadBalancer?.ingress ?? []
    return first !== undefined && this.#elect(candidates, canonical(first.ip), ads) === node
  }

  /** Before 0.16 advertisements had no Service selectors: all of the pool count. There is one pool here. */
  #advertisementsFor(service: AnyObject): readonly Advertisement[] {
    const ads: readonly Advertisement[] = this.#all('L2Advertisement').map(specOf)
    if (this.#release === '0.15') return ads
    return ads.filter(ad => selectsAny(ad.serviceSelectors, labelsOf(service)))
  }

  #nodesOf({ nodeSelectors }: Advertisement): ReadonlySet<string> {
    const nodes = this.#all('Node').filter(node => selectsAny(nodeSelectors, labelsOf(node)))
    return new Set(nodes.map(({ metadata }) => metadata.name))
  }

  #isUsable(name: string): boolean {
    const node = this.#all('Node').find(({ metadata }) => metadata.name === name)
    if (!node) return true
    const { status } = node as { readonly status?: { conditions?: readonly { type: string; status: string }[] } }
    const isCut = status?.conditions?.some(({ type, status: is }) => type === 'NetworkUnavailable' && is === 'True')
    return !isCut && labelsOf(node)[EXCLUDED] === undefined
  }

  #elect(candidates: readonly string[], ip: string, ads: readonly Advertisement[]): string | undefined {
    const score = (name: string): number => (this.#release === 'main' ? this.#score(name, ads) : 0)
    const ranked = candidates.map(name => ({ name, score: score(name), digest: digestOf(name, ip) }))
    ranked.sort((a, b) => b.score - a.score || Buffer.compare(a.digest, b.digest))
    return ranked[0]?.name
  }

  #score(name: string, ads: readonly Advertisement[]): number {
    const node = this.#all('Node').find(({ metadata }) => metadata.name === name)
    let sum = 0
    for (const ad of ads) {
      if (!node || !this.#nodesOf(ad).has(name)) continue
      for (const { weight, preference } of ad.preferredNodeSelectors ?? []) {
        if (selects(preference, labelsOf(node))) sum += weight
      }
    }
    return sum
  }
}

const isActive = ({ conditions: { ready, serving } = {} }: Endpoint): boolean => ready !== false || serving === true
