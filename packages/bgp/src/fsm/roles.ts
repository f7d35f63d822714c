import { HEADER_LENGTH, Role, WireError, type Capability } from '../wire/index.js'

/** What a speaker is to its external peer, RFC 9234 section 3.1: `rs` is a route server, `rs-client` one of its clients. */
export type RoleName = 'provider' | 'rs' | 'rs-client' | 'customer' | 'peer'

const ROLES: { readonly [N in RoleName]: Role } = {
  provider: Role.Provider,
  rs: Role.RouteServer,
  'rs-client': Role.RouteServerClient,
  customer: Role.Customer,
  peer: Role.Peer,
}

/** RFC 9234 section 4.2, table 2: the only role that the other side may have. */
const COUNTERPARTS: { readonly [N in RoleName]: RoleName } = {
  provider: 'customer',
  rs: 'rs-client',
  'rs-client': 'rs',
  customer: 'provider',
  peer: 'peer',
}

/** All role names. */
export const ROLE_NAMES = Object.keys(ROLES) as readonly RoleName[]

/** The number of a role in the BGP Role capability. */
export const roleOf = (name: RoleName): Role => ROLES[name]

const mismatch = (text: string): WireError => new WireError(text, HEADER_LENGTH + 9, [2, 11])

/**
 * Checks the peer's BGP Role capabilities against our role, RFC 9234 section 4.2.
 *
 * @param strict a peer that does not say its role is refused
 * @throws {WireError} 2/11 Role Mismatch: the roles do not belong together, the peer has several, or none in strict mode
 */
export function checkRoles(ours: RoleName, strict: boolean, capabilities: readonly Capability[]): void {
  const roles = new Set(capabilities.filter(capability => capability.type === 'role').map(({ role }) => role))
  if (roles.size > 1) throw mismatch('BGP Role capabilities that contradict each other')
  const [theirs] = roles
  if (theirs === undefined) {
    if (strict) throw mismatch('no BGP Role capability')
    return
  }
  const name = ROLE_NAMES.find(known => ROLES[known] === theirs)
  if (name !== COUNTERPARTS[ours]) throw mismatch(`BGP Role ${name ?? theirs}, and ours is ${ours}`)
}
