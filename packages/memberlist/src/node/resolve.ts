import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { Endpoint } from '../swim/index.js'

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

/** All addresses that a join address stands for. Rejects with the resolver's error. */
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
