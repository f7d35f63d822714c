/**
 * Asking who has an address, as decisions: frames and time in, frames and answers out. Pure.
 * @packageDocumentation
 */
export { arpQuestion, neighborQuestion, type Question } from './question.js'
export { Resolver, type Resolution, type ResolverAction, type ResolverOptions } from './resolver.js'
