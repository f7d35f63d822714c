/** Greatest index an interface can have. */
export const MAX_INDEX = 0x7fffffff

/**
 * Passes a caller's whole number on.
 *
 * @throws {RangeError} when it is none within the bounds; the message begins with the option's name
 */
export function checkInteger(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`)
}
