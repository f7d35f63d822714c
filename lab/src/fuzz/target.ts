/** What a fuzzer can be pointed at. */

/** One thing under test, ready for inputs. */
export interface Attempt {
  /** Throws, or rejects, when the claim does not hold for these octets. */
  run(input: Uint8Array): void | Promise<void>
  close?(): Promise<void>
}

/** A part of a package with a claim about it that holds for all octets whatever. */
export interface FuzzTarget {
  readonly name: string
  readonly claim: string
  /** Inputs to start from, good ones among them. Each target says what its first octets choose. */
  corpus(): readonly Uint8Array[]
  open(): Attempt | Promise<Attempt>
}
