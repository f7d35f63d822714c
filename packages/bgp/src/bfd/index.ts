/**
 * Bidirectional Forwarding Detection, RFC 5880: packets and the state machine of a session.
 *
 * @packageDocumentation
 */
export * from './fsm/index.js'
export * from './wire/index.js'
