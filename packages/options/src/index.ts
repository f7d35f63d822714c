/**
 * Whether what a program has given is what its options want. A program in plain JavaScript has no compiler to ask: it hears of a mistake
 * at the call, by the option's name, what is wanted and what was given.
 *
 * @packageDocumentation
 */
export {
  kind,
  optional,
  shown,
  wrongType,
  wrongValue,
  type Kind,
  type Kinds,
  type OptionalKind,
  type Synonyms,
} from './kind.js'
export { callback, flag, listOf, methods, number, octets, oneOf, signal, text, whole } from './kinds.js'
export { checkOptions, record } from './options.js'
