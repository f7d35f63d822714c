import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { type Endpoint, parseAddress } from '../swim/index.js'
import { allowList } from './allow-list.js'

/** Parts of a join address. */
export interface JoinAddress {
  /** Name of the node, when it was given. */
  readonly name: string | undefined
  readonly host: string
  readonly port: number
}

/**
 * Reads `[name/]host[:port]`. An IPv6 address with a port stands in brackets; a bare one has none.
 *
 * @throws {RangeError} on an empty name or host, or a port that is none
 */
export function parseJoinAddress(text: string, defaultPort: number): JoinAddress {
  const slash = text.indexOf('/')
  if (slash === 0) throw new RangeError(`join address with an empty node name: ${text}`)
  const name = slash < 0 ? undefined : text.slice(0, slash)
  const rest = text.slice(slash + 1)
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(rest)
  const single = /^([^:]*)(?::([^:]*))?$/.exec(rest)
  const [, host = rest, port] = bracketed ?? single ?? []
  const number = port === undefined ? defaultPort : Number(port)
  if (host === '' || !Number.isInteger(number) || number < 1 || number > 65535 || port === '') {
    throw new RangeError(`not a join address: ${text}`)
  }
  return { name, host, port: number }
}

/**
 * All addresses that a join address stands for. Rejects with the resolver's error. The reference asks for ANY records
 * first, which servers need not answer any more (RFC 8482); the system's resolver gives all A and AAAA records as well.
 */
export async function resolveJoinAddress({ host, port }: JoinAddress): Promise<readonly Endpoint[]> {
  if (isIP(host)) return [{ address: host, port }]
  const found = await lookup(host, { all: true })
  return found.map(({ address }) => ({ address, port }))
}

const PRIVATE = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|f[cd])/

/**
 * The address that others should use when we listen on all: the first private one of the host, else the first at all.
 *
 * @throws {RangeError} when the host has none of the family
 */
export function findOwnAddress(family: 4 | 6): string {
  const all = Object.values(networkInterfaces()).flatMap(addresses => addresses ?? [])
  const usable = all.filter(a => !a.internal && a.family === `IPv${family}` && !a.address.startsWith('fe80:'))
  const found = usable.find(a => PRIVATE.test(a.address)) ?? usable[0]
  if (!found) throw new RangeError(`no IPv${family} address to advertise: set advertiseAddress`)
  return found.address
}

/** Blocks that are not reached from the Internet (RFC 6890). */
const SPECIAL = `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
  192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4
  ::/127 64:ff9b::/96 100::/64 2001::/23 2001:db8::/32 2002::/16 fc00::/7 fe80::/10`

/** Whether an address can be reached from the Internet, as far as the address tells (RFC 6890). */
export const isPublic = (address: string): boolean => !allowList(SPECIAL.split(/\s+/))?.(parseAddress(address))
