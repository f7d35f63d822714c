/** A reason why part of an object is refused. */
export interface FieldFault {
  /** Path from where the check began, in Kubernetes spelling: `spec.addresses[1]`. */
  readonly field: string
  /** One sentence, without the object's name. */
  readonly reason: string
}
