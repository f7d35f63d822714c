/** Path of a field of what `path` leads to: `spec` and `addresses` give `spec.addresses`; names that are no words stand in brackets. */
export function childPath(path: string, name: string): string {
  if (!/^[A-Za-z_]\w*$/.test(name)) return `${path}[${name}]`
  return path ? `${path}.${name}` : name
}

/** Path of an item of the list that `path` leads to. */
export const itemPath = (path: string, index: number): string => `${path}[${index}]`

/** Whether `path` leads to something that must not appear in logs. */
export const isSecretPath = (path: string): boolean => /(^|\.)(password|data|stringData)(\.|\[|$)/.test(path)
