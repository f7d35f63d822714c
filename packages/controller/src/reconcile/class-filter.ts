import type { Service } from '@typemetal/cluster'

/** Reads the `--lb-class` flag: several classes are separated by commas. */
export function parseClasses(flag: string): ReadonlySet<string> {
  return new Set(
    flag
      .split(',')
      .map(name => name.trim())
      .filter(name => name !== ''),
  )
}

/**
 * Whether a Service is ours by its `loadBalancerClass`: without classes given, those that have none; otherwise those that
 * have one of the given.
 */
export function isOurClass({ spec }: Service, classes: ReadonlySet<string>): boolean {
  const name = spec?.loadBalancerClass
  return name ? classes.has(name) : classes.size === 0
}
