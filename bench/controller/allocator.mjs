// The allocator alone: no API server, no process of its own.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { parseBlocks } from '@typemetal/cluster'
import { Allocator } from '@typemetal/controller'

const RULES = { labels: {}, autoAssign: true, avoidBuggyIPs: false, l2Advertisements: [], bgpAdvertisements: [] }
const STANDING = [1000, 10_000, 100_000, 1_000_000]
/** So many more come and go while the others stand. */
const MEASURED = 100_000
/** The goal is one for each allocation, in microseconds: 200,000 a second. */
const GOAL = 5
/** Pools that the Services stand in, with their family. */
const POOLS = { '10.0.0.0/8': 'IPv4', '2001:db8::/64': 'IPv6' }

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc')

const request = (i, family) => ({
  service: `default/service-${i}`,
  namespace: 'default',
  labels: {},
  family,
  policy: 'SingleStack',
  families: [],
  ports: ['TCP/80'],
  sharingKey: '',
  backendKey: '',
})

function emptyAllocator(addresses) {
  const allocator = new Allocator()
  allocator.setPools(new Map([['pool', { name: 'pool', blocks: parseBlocks(addresses), ...RULES }]]))
  return allocator
}

/** Calls for each of a list. @returns microseconds each */
function time(list, act) {
  const started = performance.now()
  for (const each of list) act(each)
  return ((performance.now() - started) * 1000) / list.length
}

/** `standing` allocations, then some more that come and go. */
function among(standing, addresses) {
  const family = POOLS[addresses]
  const heapBefore = heap()
  const allocator = emptyAllocator(addresses)
  for (let i = 0; i < standing; i++) allocator.allocate(request(i, family))
  const octets = (heap() - heapBefore) / standing
  const requests = Array.from({ length: MEASURED }, (_, i) => request(standing + i, family))
  const allocate = time(requests, each => allocator.allocate(each))
  const { assignedIPv4, assignedIPv6 } = allocator.counters('pool')
  if (assignedIPv4 + assignedIPv6 !== BigInt(standing + MEASURED)) throw new Error('somebody got no address')
  const release = time(requests, ({ service }) => allocator.release(service))
  return { octets, allocate, release }
}

/** A pool of which every address is taken: one goes, another comes, and many more are refused. */
function full(count) {
  const allocator = emptyAllocator(`10.0.0.0-10.${(count - 1) >> 16}.255.255`)
  for (let i = 0; i < count; i++) allocator.allocate(request(i, 'IPv4'))
  const requests = Array.from({ length: MEASURED }, (_, i) => request(count + i, 'IPv4'))
  const refuse = time(requests, each => {
    if (!('refusal' in allocator.allocate(each))) throw new Error('the pool is not full')
  })
  // From all over the pool; as the count is a power of two, an odd step comes to each once.
  const victims = requests.map((_, i) => request(((i + 1) * 7919) % count, 'IPv4').service)
  let next = 0
  const replace = time(requests.slice(0, count), each => {
    allocator.release(victims[next++])
    if ('refusal' in allocator.allocate(each)) throw new Error('no address after a release')
  })
  return { refuse, replace }
}

function heap() {
  collect()
  return process.memoryUsage().heapUsed
}

/** Section `allocator`. */
export function allocator({ samples, trials, quick }) {
  const sizes = quick ? STANDING.slice(0, 3) : STANDING
  // Code that has never run is compiled first, which is not what is measured.
  for (const addresses of Object.keys(POOLS)) among(STANDING[0], addresses)
  for (let trial = 0; trial < trials; trial++) {
    for (const addresses of Object.keys(POOLS)) {
      for (const standing of sizes) {
        const { octets, allocate, release } = among(standing, addresses)
        const title = `${addresses}, ${standing.toLocaleString('en')} standing`
        samples.add('ours', `${title}: allocate`, 'µs', allocate, { goal: GOAL })
        samples.add('ours', `${title}: release`, 'µs', release)
        samples.add('ours', `${title}: memory of one`, 'octets', octets)
      }
    }
    const count = quick ? 2 ** 16 : 2 ** 20
    const { refuse, replace } = full(count)
    const title = `all of ${count.toLocaleString('en')} addresses taken`
    samples.add('ours', `${title}: one goes, one comes`, 'µs', replace, { goal: 2 * GOAL })
    samples.add('ours', `${title}: refuse`, 'µs', refuse, { goal: GOAL })
  }
}
