/** Where an object was read from. */
export interface Origin {
  readonly file: string
  /** 1-based. */
  readonly line: number
}

/** Finds where an object, or a field of it, was written; `undefined` when it did not come from a file. */
export type FindOrigin = (kind: string, key: string, field?: string) => Origin | undefined
