import { isEmpty, type CapabilityCodec } from './capability.js'

/** Route Refresh capability, RFC 2918 section 2. */
export interface RouteRefreshCapability {
  readonly type: 'route-refresh'
}

/** Codec of {@link RouteRefreshCapability}. */
export const routeRefresh: CapabilityCodec<RouteRefreshCapability> = {
  code: 2,
  type: 'route-refresh',
  allows: isEmpty,
  decode: () => ({ type: 'route-refresh' }),
  length: () => 0,
  encode() {},
}
