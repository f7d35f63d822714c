import { getCiphers, type SecureVersion } from 'node:tls'
import { StartupError } from '../process/startup-error.js'

/** MetalLB's flags, as they are written; an empty text is the default. */
export interface TlsFlags {
  /** `--tls-min-version` */
  readonly minVersion: string
  /** `--tls-cipher-suites`: IANA names, separated by commas. */
  readonly cipherSuites: string
  /** `--tls-curve-preferences`: IANA numbers of groups, separated by commas. */
  readonly curvePreferences: string
}

/** What a TLS server of Node.js is given. */
export interface TlsOptions {
  /** The least that is spoken: `TLSv1.2` or `TLSv1.3`. */
  readonly minVersion: SecureVersion
  /** OpenSSL names. */
  readonly ciphers?: string
  /** OpenSSL names, the best first. */
  readonly ecdhCurve?: string
}

const VERSIONS: Readonly<Record<string, SecureVersion>> = {
  '': 'TLSv1.3',
  VersionTLS12: 'TLSv1.2',
  VersionTLS13: 'TLSv1.3',
}

/** Groups that Node.js has, by their IANA number. */
const GROUPS: Readonly<Record<string, string>> = { 23: 'P-256', 24: 'P-384', 25: 'P-521', 29: 'X25519', 30: 'X448' }

/**
 * Reads the flags that say which TLS is spoken.
 *
 * @throws {StartupError} unknown or contradictory
 */
export function parseTlsOptions({ minVersion, cipherSuites, curvePreferences }: TlsFlags): TlsOptions {
  const version = VERSIONS[minVersion]
  if (version === undefined) {
    throw new StartupError(`--tls-min-version: "${minVersion}" is unknown: choose VersionTLS12 or VersionTLS13`)
  }
  if (cipherSuites !== '' && version === 'TLSv1.3') {
    throw new StartupError('--tls-cipher-suites: cipher suites cannot be configured with TLS 1.3')
  }
  const ciphers = words(cipherSuites).map(cipherName)
  const curves = words(curvePreferences).map(groupName)
  const twice = curves.find((curve, i) => curves.indexOf(curve) !== i)
  if (twice !== undefined) throw new StartupError(`--tls-curve-preferences: ${twice} is there twice`)
  return {
    minVersion: version,
    ...(ciphers.length > 0 && { ciphers: ciphers.join(':') }),
    ...(curves.length > 0 && { ecdhCurve: curves.join(':') }),
  }
}

const words = (text: string): readonly string[] =>
  text
    .split(',')
    .map(word => word.trim())
    .filter(word => word !== '')

/** `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` → `ECDHE-RSA-AES128-GCM-SHA256`. */
function cipherName(iana: string): string {
  const name = iana
    .replace(/^TLS_/, '')
    .replace(/^RSA_WITH_/, '') // OpenSSL does not say that the key is exchanged by RSA
    .replace('_WITH_', '_')
    .replace(/AES_(128|256)/, 'AES$1')
    .replace('_CBC_', '_')
    .replace(/(CHACHA20_POLY1305)_SHA256$/, '$1')
    .replaceAll('_', '-')
  if (iana.startsWith('TLS_') && getCiphers().includes(name.toLowerCase())) return name
  throw new StartupError(`--tls-cipher-suites: "${iana}" is unknown, or not to be had here`)
}

function groupName(number: string): string {
  const group = GROUPS[number]
  if (group !== undefined) return group
  const known = Object.entries(GROUPS).map(([known, name]) => `${known} (${name})`)
  throw new StartupError(`--tls-curve-preferences: "${number}" is unknown: choose ${known.join(', ')}`)
}
