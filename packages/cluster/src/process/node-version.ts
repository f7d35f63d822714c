import { StartupError } from './startup-error.js'

const OLDEST = [20, 19] as const

/**
 * @param version e.g. `20.19.2`. @default that of this process
 * @throws {StartupError} the version of Node.js is older than 20.19
 */
export function requireNode(version: string = process.versions.node): void {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return
  throw new StartupError(`Node.js ${version} is too old: install ${OLDEST.join('.')} or newer`)
}
