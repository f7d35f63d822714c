/** What the tests of the codecs share. */

/** A station's address, 02:00:00:00:00:XX. */
export const mac = (last: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, 0, last)

/** What a WireError looks like. */
export const fault = (fault: string, offset?: number): { code: string; fault: string; offset?: number } => ({
  code: 'ERR_L2_WIRE',
  fault,
  ...(offset !== undefined && { offset }),
})
