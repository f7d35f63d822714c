import { isIP } from 'node:net'

const AUTHORITY = /^(?:\[([^\]]*)\]|([^:]*))(?::\d{1,5})?$/

/**
 * Whether a request may be answered that names this host. A name that somebody else's DNS can point at us is none: by it another site's script would
 * read the page with its visitor's browser (DNS rebinding). IP addresses, `localhost` and names below it belong to nobody, and so do the
 * given names.
 *
 * @param host the Host header (RFC 9110 section 7.2)
 * @param names further names, in lower case
 */
export function isOwnHost(host: string | undefined, names: ReadonlySet<string> = new Set()): boolean {
  const match = AUTHORITY.exec(host ?? '')
  if (!match) return false
  const [, bracketed, plain = ''] = match
  if (bracketed !== undefined) return isIP(bracketed) === 6
  const name = plain.toLowerCase().replace(/\.$/, '')
  return isIP(name) === 4 || name === 'localhost' || name.endsWith('.localhost') || names.has(name)
}
