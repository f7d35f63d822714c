// binary-parser 2.3 has types, but its "exports" do not lead an ES module to them. Only what this package calls is declared.
declare module 'binary-parser' {
  export class Parser {
    endianness(endianness: 'big' | 'little'): this
    uint8(name: string): this
    uint16(name: string): this
    uint32(name: string): this
    /** Integers read beyond the end throw a RangeError; fixed buffers come back short: check the length first. */
    parse(octets: Uint8Array): unknown
  }
}
