import type { KubernetesObject } from '../resources/core.js'
import type { ConfigError } from './config.js'
import type { FieldFault } from './field-fault.js'
import type { FindOrigin } from './origin.js'

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
      field,
      reason,
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

const identity = ({ kind, metadata }: KubernetesObject): string =>
  `${kind}/${metadata.namespace ?? ''}/${metadata.name}`

/** Whether path `outer` is `inner` or leads to it. */
function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(`${outer}.`) || inner.startsWith(`${outer}[`)
}
