/** The allocator against a naive one, and its promises about cost. */
import { type Address, parseAddress, parseBlocks, type Pool } from '@typemetal/cluster'
import { type AddressRequest, Allocator } from '@typemetal/controller'
import * as fc from 'fast-check'
import t from 'tap'
import { arbitraryPools, arbitraryRequest } from './model/arbitrary.js'
import { type Operation, Pair, textsOf } from './model/pair.js'

const poolOf = (name: string, ...addresses: string[]): Pool => ({
  name,
  labels: {},
  blocks: addresses.flatMap(parseBlocks),
  autoAssign: true,
  avoidBuggyIPs: false,
  l2Advertisements: [],
  bgpAdvertisements: [],
})

const requestOf = (name: string, change: Partial<AddressRequest> = {}): AddressRequest => ({
  service: `default/${name}`,
  namespace: 'default',
  labels: {},
  family: 'IPv4',
  policy: 'SingleStack',
  families: [],
  ports: ['TCP/80'],
  sharingKey: '',
  backendKey: '',
  ...change,
})

const mapOf = (...pools: readonly Pool[]): ReadonlyMap<string, Pool> => new Map(pools.map(pool => [pool.name, pool]))

const arbitraryOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 1, arbitrary: fc.record({ type: fc.constant('pools' as const), pools: arbitraryPools }) },
  { weight: 6, arbitrary: fc.record({ type: fc.constant('allocate' as const), request: arbitraryRequest }) },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('from' as const),
      request: arbitraryRequest,
      pool: fc.constantFrom('pool-0', 'pool-1', 'pool-9'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('assign' as const),
      request: arbitraryRequest,
      picks: fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('release' as const), request: arbitraryRequest }) },
)

t.test('property: gives what a naive allocator gives, and counts what it counts', async () => {
  fc.assert(
    fc.property(arbitraryPools, fc.array(arbitraryOperation, { maxLength: 40 }), (pools, operations) => {
      const pair = new Pair(pools)
      for (const operation of operations) pair.run(operation)
    }),
    { numRuns: 300, interruptAfterTimeLimit: 6000 },
  )
})

t.test('§6.2: refusals say why, and leave what the Service had', async t => {
  const allocator = new Allocator()
  allocator.setPools(mapOf(poolOf('p', '10.0.0.0/24', 'fd00::/120'), poolOf('q', '10.1.0.0/24')))
  const ip = (text: string): Address => parseAddress(text)!
  allocator.assign(requestOf('a'), [ip('10.0.0.1')])
  for (const [addresses, refusal] of [
    [['192.0.2.1'], '["192.0.2.1"] is not allowed in config'],
    [['10.0.0.1', '10.1.0.1'], '["10.0.0.1" "10.1.0.1"] is not allowed in config'],
    [['10.0.0.1', '10.0.0.2'], '"10.0.0.1" "10.0.0.2" has the same family'],
    [['10.0.0.1', 'fd00::1', '10.0.0.2'], 'more than two addresses ["10.0.0.1" "fd00::1" "10.0.0.2"]'],
    [[], '[] is not allowed in config'],
  ] as const) {
    t.same(allocator.assign(requestOf('a'), addresses.map(ip)), { refusal })
    t.same(textsOf(allocator.get('default/a')!), ['10.0.0.1'])
  }
  t.same(allocator.allocateFrom('x', requestOf('b')), { refusal: 'unknown pool "x"' })
  t.same(allocator.addFamily(requestOf('b')), { refusal: '"default/b" does not hold one address' })
})

t.test('a signal is given exactly when somebody may fit now', async t => {
  const allocator = new Allocator()
  allocator.setPools(mapOf(poolOf('p', '10.0.0.0/29')))
  const opens = (act: () => unknown): boolean => {
    const before = allocator.openings
    act()
    return allocator.openings > before
  }
  const key = { sharingKey: 'k' }
  t.notOk(
    opens(() => allocator.allocate(requestOf('a'))),
    'a new allocation without a key',
  )
  t.notOk(
    opens(() => allocator.allocate(requestOf('a', { backendKey: 'app=x' }))),
    'TM 5.1: a backend key without a sharing key',
  )
  t.ok(
    opens(() => allocator.allocate(requestOf('a', key))),
    'a key appears',
  )
  t.notOk(
    opens(() => allocator.allocate(requestOf('a', key))),
    'nothing changes',
  )
  t.notOk(
    opens(() => allocator.allocate(requestOf('a', { ...key, ports: ['TCP/80', 'TCP/81'] }))),
    'a port more',
  )
  t.ok(
    opens(() => allocator.allocate(requestOf('a', key))),
    'a port less',
  )
  t.ok(
    opens(() => allocator.assign(requestOf('a', key), [parseAddress('10.0.0.5')!])),
    'TM 5.1: it moves',
  )
  t.ok(
    opens(() => allocator.release('default/a')),
    'it goes',
  )
  t.notOk(
    opens(() => allocator.release('default/a')),
    'it is gone',
  )
  t.ok(
    opens(() => allocator.setPools(mapOf())),
    'other pools',
  )
})

t.test('a pool that keeps its addresses keeps its state, one that does not hands over what it can', async t => {
  const allocator = new Allocator()
  allocator.setPools(mapOf(poolOf('p', '10.0.0.0/24')))
  allocator.allocate(requestOf('a'))
  allocator.allocate(requestOf('b'))
  allocator.takeTouchedPools()
  t.same(allocator.setPools(mapOf(poolOf('p', '10.0.0.0/24'), poolOf('q', '10.1.0.0/24'))), [])
  t.same([...allocator.takeTouchedPools()].toSorted(), ['p', 'q'])
  t.same(allocator.setPools(mapOf(poolOf('r', '10.0.0.1/32'))), ['default/a'])
  t.same([...allocator.takeTouchedPools()].toSorted(), ['p', 'q', 'r'])
  t.match(allocator.get('default/b'), { pool: 'r' })
  t.equal(allocator.counters('p'), undefined)
  t.equal(allocator.counters('r')?.assignedIPv4, 1n)
})

t.test('§9.2: capacity saturates, and blocks of 62 host bits and more are counted as MetalLB does', async t => {
  const allocator = new Allocator()
  const max = 2n ** 63n - 1n
  allocator.setPools(
    mapOf(
      poolOf('a', '2001:db8::/66'),
      poolOf('b', '2001:db8:1::/67', '10.0.0.0/8'),
      poolOf('c', '2001:db8:2::/64', '10.1.0.0/16'),
    ),
  )
  t.equal(allocator.counters('a')?.capacity, max)
  t.equal(allocator.counters('b')?.capacity, 2n ** 61n + 2n ** 24n)
  t.match(allocator.counters('c'), { capacity: max, capacityIPv6: max, capacityIPv4: 2n ** 16n })
})

t.test('nothing is enumerated: a full /16, a pool of 2^64 and 10,000 Services on one address are quick', async t => {
  const allocator = new Allocator()
  allocator.setPools(
    mapOf(poolOf('four', '10.0.0.0/16'), poolOf('six', 'fd00::/64', 'fd01::/64'), poolOf('one', '192.0.2.1/32')),
  )
  const began = performance.now()
  for (let i = 0; i < 2 ** 16; i++) allocator.allocate(requestOf(`s${i}`))
  t.equal(allocator.counters('four')?.availableIPv4, 0n)
  const [last] = allocator.get(`default/s${2 ** 16 - 1}`)!.addresses
  t.equal(last?.text, '10.0.255.255')
  allocator.release('default/s12345')
  t.same(textsOf(allocator.allocateFrom('four', requestOf('again'))), ['10.0.48.57'])
  const far = parseAddress('fd00::ffff:ffff:ffff:ffff')!
  t.same(textsOf(allocator.assign(requestOf('far', { family: 'IPv6' }), [far])), [far.text])
  t.same(textsOf(allocator.allocate(requestOf('near', { family: 'IPv6' }))), ['fd00::'])
  for (let i = 0; i < 10_000; i++)
    allocator.allocateFrom('one', requestOf(`t${i}`, { sharingKey: 'k', ports: [`TCP/${i}`] }))
  t.match(allocator.get('default/t9999'), { pool: 'one' })
  t.same(allocator.allocateFrom('one', requestOf('u', { sharingKey: 'k', ports: ['TCP/5'] })), {
    refusal: 'no available IPs in pool one',
  })
  t.comment(`${Math.round(performance.now() - began)} ms`)
})

t.test('a sharing group that is full on one port is not searched address by address', async t => {
  const allocator = new Allocator()
  allocator.setPools(mapOf(poolOf('p', '10.0.0.0/16')))
  const shared = { sharingKey: 'k', ports: ['TCP/80'] }
  for (let i = 0; i < 20_000; i++) allocator.allocate(requestOf(`s${i}`, shared))
  t.same(textsOf(allocator.get('default/s19999')!), ['10.0.78.31'])
  allocator.release('default/s12345')
  t.same(textsOf(allocator.allocate(requestOf('x', shared))), ['10.0.48.57'])
  t.same(textsOf(allocator.allocate(requestOf('y', { sharingKey: 'k', ports: ['TCP/81'] }))), ['10.0.0.0'])
})
