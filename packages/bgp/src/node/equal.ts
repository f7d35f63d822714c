/** Whether two options are the same by value; functions are when they are the same. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const names = new Set([...Object.keys(a), ...Object.keys(b)])
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>]
  return Array.isArray(a) === Array.isArray(b) && [...names].every(name => isEqual(x[name], y[name]))
}
