/** Segments that the kernel has dropped because of their TCP MD5 signature (RFC 2385), since it started. */
export interface Md5Counters {
  /** Came without a signature from a peer that has a key here. */
  readonly notFound: number
  /** Came with a signature from a peer that has no key here. */
  readonly unexpected: number
  /** Came with a signature made with another key. */
  readonly failure: number
}

const NAMES = { notFound: 'TCPMD5NotFound', unexpected: 'TCPMD5Unexpected', failure: 'TCPMD5Failure' } as const
const GROUP = 'TcpExt:'

/**
 * Reads `/proc/net/netstat`: for each group a line of names and one of numbers.
 *
 * @returns `undefined` when it has no such counters
 */
export function decodeMd5Counters(text: string): Md5Counters | undefined {
  const [names, numbers] = text
    .split('\n')
    .filter(line => line.startsWith(GROUP))
    .map(line => line.split(' '))
  const read = (name: string): number => Number(numbers?.[names?.indexOf(name) ?? -1])
  const counters = {
    notFound: read(NAMES.notFound),
    unexpected: read(NAMES.unexpected),
    failure: read(NAMES.failure),
  }
  return Object.values(counters).every(Number.isInteger) ? counters : undefined
}
