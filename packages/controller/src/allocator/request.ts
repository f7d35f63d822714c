import type { IPFamily } from '@typemetal/cluster'

/** What a Service's cluster IPs ask for: one family or both. */
export type ServiceFamily = IPFamily | 'dual'

/** `spec.ipFamilyPolicy`, absent being SingleStack. */
export type FamilyPolicy = 'SingleStack' | 'PreferDualStack' | 'RequireDualStack'

/** Protocol and number of a Service port, e.g. `TCP/80`. */
export type PortKey = string

/** What the allocator needs to know of a Service. */
export interface AddressRequest {
  /** `namespace/name`. */
  readonly service: string
  /** Of the Service: pools can be for some namespaces only. */
  readonly namespace: string
  /** Of the Service: pools can select by them. */
  readonly labels: Readonly<Record<string, string>>
  /** Which families are asked for. */
  readonly family: ServiceFamily
  /** Whether one address will do where two families are asked for. */
  readonly policy: FamilyPolicy
  /** `spec.ipFamilies`: the order of two addresses; empty = IPv4 first. */
  readonly families: readonly IPFamily[]
  /** Two Services that share an address must not have one in common. */
  readonly ports: readonly PortKey[]
  /** Empty = the address is not shared. */
  readonly sharingKey: string
  /** What Services that share must have in common: the selector under `externalTrafficPolicy: Local`, else empty. */
  readonly backendKey: string
}

/** Why no address was given, in one phrase that an event can quote. */
export interface Refusal {
  readonly refusal: string
}
