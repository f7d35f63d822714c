/** The states of a session, in the order of their numbers on the wire, RFC 5880 section 4.1 (Sta). */
export const STATES = ['AdminDown', 'Down', 'Init', 'Up'] as const

/** State of a BFD session, RFC 5880 section 6.2. */
export type State = (typeof STATES)[number]
