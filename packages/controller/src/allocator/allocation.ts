import type { Address } from '@typemetal/cluster'
import type { PortKey } from './request.js'

/** What one Service holds. */
export interface Allocation {
  /** `namespace/name`. */
  readonly service: string
  /** Name of the pool that contains all of the addresses. */
  readonly pool: string
  /** One, or one of each family. */
  readonly addresses: readonly Address[]
  readonly ports: readonly PortKey[]
  readonly sharingKey: string
  readonly backendKey: string
}
