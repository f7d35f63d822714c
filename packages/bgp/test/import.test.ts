import t from 'tap'
import { LocRib, type Row } from '@typemetal/bgp/rib'
import { AS_TRANS, type AsPath, type PathAttributes } from '@typemetal/bgp/wire'
import { Importer, isFeasible, resolveAs4, type ImportSession } from '../dist/import.js'
import { changeRoute, LazyRoute, type ImportPolicy, type PolicyRoute } from '../dist/policy.js'
import type { RouteSource } from '../dist/route-source.js'
import { hex, toHex } from './octets.js'
import { HOP4, HOP6, rowOf, sequence } from './rib-scene.js'

const PEER = { name: 'upstream', address: '10.0.0.1', asn: 64_513, internal: false }

const session = (other: Partial<ImportSession> = {}): ImportSession => ({
  asn: 64_512,
  peerAsn: 64_513,
  bgpIdentifier: 7,
  clusterId: 8,
  internal: false,
  allowOwnAs: 0,
  role: undefined,
  policy: 'accept',
  policyPeer: PEER,
  policyFailed: error => {
    throw error
  },
  ...other,
})

const BASE: PathAttributes = { origin: 0, ...sequence(64_513, 9) }
const seq = (...asns: number[]): AsPath => [{ type: 2, asns }]

/** What is used of a route with these attributes; `undefined`: it is not used. */
function imported(
  attributes: PathAttributes,
  other: Partial<ImportSession> = {},
  prefix = '192.0.2.0/24',
): { attributes: PathAttributes; nextHop: string; same: boolean } | undefined {
  const rib = new LocRib<RouteSource>()
  const { paths, prefix: row } = rowOf(rib, prefix)
  const received = rib.attributes.internValues({ ...BASE, ...attributes }, prefix.includes(':') ? HOP6 : HOP4)
  const used: Row = new Importer(rib, session(other)).import(paths, row, 0, received)
  if (used === 0) return undefined
  return {
    attributes: rib.attributes.attributes(used),
    nextHop: toHex(rib.attributes.nextHop(used)),
    same: used === received,
  }
}

t.test('RFC 4271 section 9.1.2: our own AS in AS_PATH, as often as is allowed', async t => {
  const may = (asPath: AsPath, allowOwnAs = 0): boolean => isFeasible({ origin: 0, asPath }, session({ allowOwnAs }))
  t.ok(may(seq(1, 2)))
  t.notOk(may(seq(1, 64_512)))
  t.ok(may(seq(1, 64_512), 1))
  t.notOk(may(seq(64_512, 1, 64_512), 1))
  t.ok(may(seq(64_512, 1, 64_512), 2))
  t.notOk(may([...seq(1), { type: 1, asns: [2, 64_512] }]), 'in a set')
  t.notOk(may([{ type: 3, asns: [64_512] }, ...seq(1)]), 'RFC 5065 section 4: in a confederation segment')
  t.ok(isFeasible({}, session()), 'no AS_PATH at all')
})

t.test('RFC 4456 section 8: what we have reflected ourselves', async t => {
  t.notOk(isFeasible({ ...BASE, originatorId: 7 }, session()))
  t.ok(isFeasible({ ...BASE, originatorId: 8 }, session()))
  t.notOk(isFeasible({ ...BASE, clusterList: [1, 8] }, session()))
  t.ok(isFeasible({ ...BASE, clusterList: [1, 7] }, session()))
  t.notOk(isFeasible({ ...BASE, originatorId: 7 }, session({ allowOwnAs: 9 })))
})

t.test('RFC 6793 section 4.2.3: AS4_PATH and AS4_AGGREGATOR take the places of the short ones', async t => {
  const as4: PathAttributes = {
    asPath: seq(5, AS_TRANS, AS_TRANS),
    as4Path: seq(100_000, 200_000),
    aggregator: { asn: AS_TRANS, bgpIdentifier: 1 },
    as4Aggregator: { asn: 300_000, bgpIdentifier: 2 },
    communities: [1],
  }
  t.same(resolveAs4(as4, false), {
    asPath: seq(5, 100_000, 200_000),
    aggregator: { asn: 300_000, bgpIdentifier: 2 },
    communities: [1],
  })
  const { asPath, aggregator, communities } = as4
  t.same(
    resolveAs4(as4, true),
    { asPath, aggregator, communities },
    'section 4.1: ignored from those who know 4 octets',
  )
  const newer = { asn: 6, bgpIdentifier: 1 }
  t.same(
    resolveAs4({ ...as4, aggregator: newer }, false),
    { asPath, aggregator: newer, communities },
    'an AGGREGATOR that was set behind them makes both worthless',
  )
  const { as4Path: _path, ...without } = as4
  t.same(resolveAs4(without, false).asPath, asPath)
  const { aggregator: _aggregator, ...none } = as4
  t.same(resolveAs4(none, false), { asPath: seq(5, 100_000, 200_000), communities })
  t.same(
    resolveAs4({ ...none, as4Path: seq(1, 2, 3, 4) }, false).asPath,
    asPath,
    'an AS4_PATH that is longer is ignored',
  )
  t.same(resolveAs4({ communities: [1] }, false), { communities: [1] })
})

t.test('RFC 9234 section 5: leaks are not used, and what comes from above or aside is marked', async t => {
  for (const { role, marks, foreign, own } of [
    { role: 'provider', marks: false, foreign: false, own: false },
    { role: 'rs', marks: false, foreign: false, own: false },
    { role: 'peer', marks: true, foreign: false, own: true },
    { role: 'customer', marks: true, foreign: true, own: true },
    { role: 'rs-client', marks: true, foreign: true, own: true },
  ] as const) {
    t.equal(imported({}, { role })?.attributes.onlyToCustomer, marks ? 64_513 : undefined, `${role} without OTC`)
    t.equal(imported({ onlyToCustomer: 9 }, { role })?.attributes.onlyToCustomer, foreign ? 9 : undefined, role)
    t.equal(imported({ onlyToCustomer: 9 }, { role }) !== undefined, foreign, `${role} with the OTC of another AS`)
    t.equal(imported({ onlyToCustomer: 64_513 }, { role }) !== undefined, own, `${role} with the peer's own OTC`)
    t.equal(imported({ onlyToCustomer: 9 }, { role, policy: () => true }) !== undefined, foreign, 'before policy')
  }
  t.match(
    imported({ onlyToCustomer: 9 }),
    { attributes: { onlyToCustomer: 9 }, same: true },
    'without a role nothing is done',
  )
})

t.test('RFC 8326 section 4: GRACEFUL_SHUTDOWN from an external peer has LOCAL_PREF 0', async t => {
  const communities = [5, 0xffff_0000]
  t.match(imported({ communities }), { attributes: { localPref: 0, communities }, same: false })
  t.match(imported({ communities, localPref: 300 }, { internal: true }), { attributes: { localPref: 300 }, same: true })
  t.match(imported({ communities }, { policy: () => ({ multiExitDisc: 1 }) }), {
    attributes: { localPref: 0, multiExitDisc: 1 },
  })
  t.match(
    imported({ communities }, { policy: () => ({ localPref: 50 }) }),
    { attributes: { localPref: 50 } },
    'policy has the last word',
  )
  t.equal(imported({ communities: [5] })?.attributes.localPref, undefined)
})

t.test('RFC 4271 section 9.1.1: policy accepts, rejects or changes', async t => {
  t.match(imported({}), { same: true, nextHop: toHex(HOP4) })
  t.match(imported({}, { policy: () => true }), { same: true })
  t.equal(imported({}, { policy: () => false }), undefined)
  t.equal(imported({}, { policy: 'reject' }), undefined)
  const change: ImportPolicy = () => ({
    localPref: 200,
    multiExitDisc: undefined,
    communities: [7],
    nextHop: '10.9.9.9',
  })
  const changed = imported({ multiExitDisc: 9, communities: [1, 2] }, { policy: change })
  t.same(changed, { attributes: { ...BASE, localPref: 200, communities: [7] }, nextHop: '0a090909', same: false })
  t.match(imported({}, { policy: () => ({}) }), { same: true }, 'no change is none')
  t.equal(
    imported({}, { policy: () => ({ nextHop: '2001:db8::5' }) }, '2001:db8::/32')?.nextHop,
    toHex(hex('20010db8000000000000000000000005')),
  )
})

t.test('RFC 4271 section 9.1.1: what a policy sees', async t => {
  const seen: PolicyRoute[] = []
  const look: ImportPolicy = route => {
    seen.push(route)
    return route.from?.asn === 64_513
  }
  t.ok(imported({ communities: [1] }, { policy: look }))
  t.ok(imported({}, { policy: look }, '2001:db8::/32'))
  const fields = seen.map(({ prefix, family, pathId, nextHop, attributes, from }) => ({
    prefix,
    family,
    pathId,
    nextHop,
    attributes,
    from,
  }))
  t.same(fields, [
    {
      prefix: '192.0.2.0/24',
      family: 'ipv4-unicast',
      pathId: undefined,
      nextHop: '10.0.0.9',
      attributes: { ...BASE, communities: [1] },
      from: PEER,
    },
    {
      prefix: '2001:db8::/32',
      family: 'ipv6-unicast',
      pathId: undefined,
      nextHop: '2001:db8::9',
      attributes: BASE,
      from: PEER,
    },
  ])
})

t.test('a policy that throws, or returns what no attribute can hold, rejects the route and is told of', async t => {
  for (const { name, policy, error } of [
    {
      name: 'throws',
      policy: () => {
        throw new TypeError('mine')
      },
      error: { message: 'mine' },
    },
    { name: 'next hop', policy: () => ({ nextHop: 'nowhere' }), error: RangeError },
    { name: 'AS 0', policy: () => ({ asPath: seq(0) }), error: RangeError },
    {
      name: 'too many',
      policy: () => ({ communities: Array.from({ length: 20_000 }, (_, i) => i) }),
      error: RangeError,
    },
  ] satisfies { name: string; policy: ImportPolicy; error: object }[]) {
    const failures: unknown[] = []
    t.equal(imported({}, { policy, policyFailed: failure => failures.push(failure) }), undefined, name)
    t.match(failures, [error], name)
  }
})

t.test('Importer: asked once for all prefixes of an UPDATE, and anew after it', async t => {
  const rib = new LocRib<RouteSource>()
  const importer = new Importer(rib, session({ role: 'customer' }))
  const { paths, prefix } = rowOf(rib, '192.0.2.0/24')
  const received = rib.attributes.internValues(BASE, HOP4)
  const used = importer.import(paths, prefix, 0, received)
  t.equal(importer.import(paths, prefix, 0, received), used)
  rib.attributes.sweep(received)
  rib.attributes.sweep(used)
  importer.forget()
  const other = rib.attributes.internValues({ ...BASE, onlyToCustomer: 5 }, HOP4)
  t.equal(rib.attributes.attributes(importer.import(paths, prefix, 0, other)).onlyToCustomer, 5)
})

t.test('LazyRoute reads what it is asked for, and nothing else', async t => {
  const route = new LazyRoute({
    family: 'ipv4-unicast',
    pathId: 5,
    from: undefined,
    nlri: () => ({ length: 8, prefix: hex('0a') }),
    attributes: () => {
      throw new Error('read')
    },
    nextHop: () => new Uint8Array(0),
  })
  t.same(
    [route.prefix, route.family, route.pathId, route.nextHop, route.from],
    ['10.0.0.0/8', 'ipv4-unicast', 5, 'self', undefined],
  )
})

t.test('changeRoute: what is there stays, what is undefined goes, and the next hop is text', async t => {
  const nextHop = HOP4
  const before = { ...BASE, multiExitDisc: 1 }
  const same = changeRoute(before, nextHop, {})
  t.same(same, { attributes: before, nextHop, setsMed: false })
  t.equal(same.nextHop, nextHop)
  t.match(changeRoute(before, nextHop, { multiExitDisc: 2 }), { attributes: { multiExitDisc: 2 }, setsMed: true })
  const less = changeRoute(before, nextHop, { multiExitDisc: undefined })
  t.notOk('multiExitDisc' in less.attributes)
  t.notOk(less.setsMed)
  t.equal(changeRoute(before, nextHop, { nextHop: 'self' }).nextHop.length, 0)
  t.equal(toHex(changeRoute(before, nextHop, { nextHop: '2001:db8::1' }).nextHop), '20010db8000000000000000000000001')
  t.throws(() => changeRoute(before, nextHop, { nextHop: '10.0.0.0/8' }), RangeError)
})
