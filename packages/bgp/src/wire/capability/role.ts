import type { CapabilityCodec } from './capability.js'

/** Values of the BGP Role capability, RFC 9234 section 4.1; any other number is carried. */
export const Role = { Provider: 0, RouteServer: 1, RouteServerClient: 2, Customer: 3, Peer: 4 } as const
export type Role = number

/** BGP Role capability, RFC 9234 section 4.1: what the sender is to the receiver. */
export interface RoleCapability {
  readonly type: 'role'
  readonly role: Role
}

/** Codec of {@link RoleCapability}. */
export const role: CapabilityCodec<RoleCapability> = {
  code: 9,
  type: 'role',
  allows: length => length === 1,
  decode: value => ({ type: 'role', role: value[0]! }),
  length: () => 1,
  encode(capability, into) {
    into[0] = capability.role
  },
}
