import type { KubernetesObject } from '../resources/core.js'
import type { ConfigError } from './config.js'
import type { FieldFault } from './field-fault.js'
import type { FindOrigin } from './origin.js'

/** Characters of one error: whoever writes a megabyte where an address should be must not fill logs and statuses with it. */
const MAX_FIELD = 200
const MAX_REASON = 1000
/** Characters of a summary: a little less than the message of a condition may have. */
const MAX_SUMMARY = 32_000

/** Collects every reason why a configuration cannot be used. */
export class ErrorList {
  readonly #errors: ConfigError[] = []
  readonly #origin: FindOrigin
  /** Fields whose value has been refused, by object. */
  readonly #refused = new Map<string, string[]>()

  constructor(origin: FindOrigin = () => undefined) {
    this.#origin = origin
  }

  /** In the order of discovery. */
  get errors(): readonly ConfigError[] {
    return this.#errors
  }

  /** Takes errors that were found elsewhere. */
  take(errors: readonly ConfigError[]): void {
    this.#errors.push(...errors)
  }

  /** Adds faults of single values. What is found later about the same fields, or inside them, follows from these and is no news. */
  refuse(object: KubernetesObject, faults: readonly FieldFault[]): void {
    this.addAll(object, faults)
    const fields = this.#refused.get(identity(object)) ?? []
    this.#refused.set(identity(object), [...fields, ...faults.map(({ field }) => field)])
  }

  addAll(object: KubernetesObject, faults: readonly FieldFault[]): void {
    for (const { field, reason } of faults) this.add(object, field, reason)
  }

  add(object: KubernetesObject, field: string, reason: string, { transient = false } = {}): void {
    if (this.#refused.get(identity(object))?.some(refused => contains(refused, field))) return
    const { name, namespace } = object.metadata
    const key = namespace === undefined ? name : `${namespace}/${name}`
    this.#errors.push({
      kind: object.kind,
      ...(namespace !== undefined && { namespace }),
      name,
      field: shorten(field, MAX_FIELD),
      reason: shorten(reason, MAX_REASON),
      ...this.#origin(object.kind, key, field),
      ...(transient && { transient }),
    })
  }
}

/**
 * One line for people: `IPAddressPool metallb-system/web: spec.addresses[1]: invalid CIDR "x" (pools.yaml:12)`.
 */
export function formatConfigError(error: ConfigError): string {
  const name = error.namespace === undefined ? error.name : `${error.namespace}/${error.name}`
  const field = error.field && ` ${error.field}:`
  const place = error.file === undefined ? '' : ` (${error.file}${error.line === undefined ? '' : `:${error.line}`})`
  return `${error.kind} ${name}:${field} ${error.reason}${place}`
}

/**
 * All errors, a line each, as long as a condition of a status can be; what does not go in is counted in the last line.
 *
 * @param limit in characters
 */
export function summarizeConfigErrors(errors: readonly ConfigError[], limit = MAX_SUMMARY): string {
  const lines = errors.map(formatConfigError)
  const ends = lines.map(lengthSoFar(1))
  const room = limit - `and ${errors.length} more`.length
  const shown = (ends.at(-1) ?? 0) - 1 <= limit ? lines.length : ends.filter(end => end <= room).length
  const left = lines.length - shown
  return [...lines.slice(0, shown), ...(left > 0 ? [`and ${left} more`] : [])].join('\n')
}

/** Maps texts to the length of all up to each, with `gap` after each. */
function lengthSoFar(gap: number): (text: string) => number {
  let length = 0
  return text => (length += text.length + gap)
}

const shorten = (text: string, most: number): string => (text.length <= most ? text : `${text.slice(0, most)}…`)

const identity = ({ kind, metadata }: KubernetesObject): string =>
  `${kind}/${metadata.namespace ?? ''}/${metadata.name}`

/** Whether path `outer` is `inner` or leads to it. */
function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`)
}
