/** A line for the log, as a value: decisions log nothing themselves. */
export interface Note {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  /** `event` carries the words that MetalLB's users search for. */
  readonly fields: Readonly<Record<string, unknown>>
}
