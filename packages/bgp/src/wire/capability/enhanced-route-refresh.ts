import { isEmpty, type CapabilityCodec } from './capability.js'

/** Enhanced Route Refresh capability, RFC 7313 section 3.1. */
export interface EnhancedRouteRefreshCapability {
  readonly type: 'enhanced-route-refresh'
}

/** Codec of {@link EnhancedRouteRefreshCapability}. */
export const enhancedRouteRefresh: CapabilityCodec<EnhancedRouteRefreshCapability> = {
  code: 70,
  type: 'enhanced-route-refresh',
  allows: isEmpty,
  decode: () => ({ type: 'enhanced-route-refresh' }),
  length: () => 0,
  encode() {},
}
