/** Freezes plain objects and lists all the way down; maps and sets are kept from writers by their type. Returns its argument. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  const inside: readonly unknown[] = value instanceof Map ? [...value.values()] : Object.values(value)
  for (const item of inside) deepFreeze(item)
  return Object.freeze(value)
}
