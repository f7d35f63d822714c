/** What a program hears that gives something wrong: the name of the option, what is wanted, what was given. */
import { inspect } from 'node:util'
import t from 'tap'
import {
  BgpSpeaker,
  diffPeerOptions,
  parseCommunities,
  type BgpSpeakerOptions,
  type PeerOptions,
  type Route,
} from '@typemetal/bgp'
import { Bfd } from '@typemetal/bgp/bfd'
import { BmpClient, BmpStation } from '@typemetal/bgp/bmp'
import { ReceivingSpeaker, RestartingSpeaker, Session } from '@typemetal/bgp/fsm'
import { dumpTable, MrtRecorder, readMrt } from '@typemetal/bgp/mrt'
import { LocRib } from '@typemetal/bgp/rib'

type Row = readonly [given: unknown, type: 'TypeError' | 'RangeError', message: string | RegExp]

const OURS: BgpSpeakerOptions = { asn: 64_512, bgpIdentifier: '10.0.0.1' }
const PEER: PeerOptions = { address: '127.0.0.9', asn: 64_513, port: 1, passive: true }
const ROUTE: Route = { prefix: '192.0.2.0/24' }

/** Each row is given to the function, and what it throws is compared as a whole. */
function refuses(name: string, call: (given: never) => unknown, rows: readonly Row[]): void {
  t.test(name, async t => {
    for (const [given, type, message] of rows) {
      t.throws(() => call(given as never), { name: type, message }, inspect(given, { breakLength: Infinity }))
    }
  })
}

const withOptions = (rows: readonly Row[], base: object): readonly Row[] =>
  rows.map(([given, ...expected]) => [{ ...base, ...(given as object) }, ...expected])

const NUMBERS = [Number.NaN, -1, 0.5, 2 ** 53, Infinity]
const noNumber = (name: string, wanted: string): readonly Row[] =>
  NUMBERS.map(value => [{ [name]: value }, 'RangeError', `${name} must be ${wanted}, not ${value}`])

const ASN = 'a whole number from 1 to 4294967295'
const IDENTIFIER = "a BGP Identifier such as '10.0.0.1'"

refuses(
  'new BgpSpeaker: no options at all',
  given => new BgpSpeaker(given),
  [
    [undefined, 'TypeError', 'options must be an object with asn and bgpIdentifier, not undefined'],
    [null, 'TypeError', 'options must be an object with asn and bgpIdentifier, not null'],
    [64_512, 'TypeError', 'options must be an object with asn and bgpIdentifier, not 64512'],
    [[], 'TypeError', 'options must be an object with asn and bgpIdentifier, not an empty array'],
    [{}, 'TypeError', `asn must be ${ASN}, not undefined`],
    [{ asn: '64512' }, 'TypeError', `asn must be ${ASN}, not the string '64512'`],
    [{ asn: 64_512n, bgpIdentifier: '10.0.0.1' }, 'TypeError', `asn must be ${ASN}, not the bigint 64512n`],
    [{ asn: 64_512 }, 'TypeError', `bgpIdentifier must be ${IDENTIFIER}, not undefined`],
  ].map(([given, ...expected]) => [given, ...expected] as unknown as Row),
)

refuses(
  'new BgpSpeaker: options that cannot be',
  given => new BgpSpeaker(given),
  withOptions(
    [
      ...noNumber('asn', ASN),
      [{ asn: 0 }, 'RangeError', `asn must be ${ASN}, not 0`],
      [{ bgpIdentifier: 1 }, 'TypeError', `bgpIdentifier must be ${IDENTIFIER}, not 1`],
      [{ bgpIdentifier: '10.0.0' }, 'RangeError', `bgpIdentifier must be ${IDENTIFIER}, not the string '10.0.0'`],
      [{ bgpIdentifier: '0.0.0.0' }, 'RangeError', `bgpIdentifier must be ${IDENTIFIER}, not the string '0.0.0.0'`],
      [{ clusterId: 'x' }, 'RangeError', `clusterId must be ${IDENTIFIER}, not the string 'x'`],
      [{ listen: 179 }, 'TypeError', 'listen must be an object, not 179'],
      [{ listen: true }, 'TypeError', 'listen must be an object, not true'],
      [{ listen: { port: 99_999 } }, 'RangeError', 'listen.port must be a whole number from 0 to 65535, not 99999'],
      [{ listen: { port: '179' } }, 'TypeError', /^listen\.port must be .* not the string '179'$/],
      [{ listen: { address: 'here' } }, 'RangeError', "listen.address must be an IP address, not the string 'here'"],
      [{ listen: { prot: 179 } }, 'TypeError', 'listen.prot is not an option: did you mean listen.port?'],
      [{ listen: { host: '::' } }, 'TypeError', 'listen.host is not an option: did you mean listen.address?'],
      [{ routerId: '10.0.0.1' }, 'TypeError', 'routerId is not an option: did you mean bgpIdentifier?'],
      [{ bgpidentifier: '10.0.0.1' }, 'TypeError', 'bgpidentifier is not an option: did you mean bgpIdentifier?'],
      [{ logger: console }, 'TypeError', 'logger is not an option: did you mean log?'],
      [
        { log: {} },
        'TypeError',
        'log must be an object with debug(), info(), warn(), error() and child(), not an object',
      ],
      [{ signal: new AbortController() }, 'TypeError', 'signal must be an AbortSignal, not an AbortController'],
      [{ clock: () => 0 }, 'TypeError', 'clock must be an object with now() and after(), not a function'],
      [{ random: 4 }, 'TypeError', 'random must be a function, not 4'],
      [{ bfd: true }, 'TypeError', 'bfd must be an object with session(), not true'],
      [{ restarting: 1 }, 'TypeError', 'restarting must be true or false, not 1'],
      [{ selectionDeferralTime: -1 }, 'RangeError', /^selectionDeferralTime must be .*, not -1$/],
      [
        { multipath: { maximumPaths: 0 } },
        'RangeError',
        'multipath.maximumPaths must be a whole number from 1 on, not 0',
      ],
      [{ multipath: { relax: 'yes' } }, 'TypeError', "multipath.relax must be true or false, not the string 'yes'"],
      [{ confederation: { identifier: 1 } }, 'TypeError', 'confederation.members must be an array, not undefined'],
      [
        { confederation: { identifier: 1, members: [0] } },
        'RangeError',
        `confederation.members[0] must be ${ASN}, not 0`,
      ],
      [{ fqdn: 'tor' }, 'TypeError', "fqdn must be an object with hostName, not the string 'tor'"],
      [
        { abcdefghijklm: 1 },
        'TypeError',
        /^abcdefghijklm is not an option: the options here are asn, bgpIdentifier, .* and random$/,
      ],
    ],
    OURS,
  ),
)

t.test('what is refused leaves nothing behind', async t => {
  await using speaker = new BgpSpeaker(OURS)
  t.throws(() => speaker.addPeer({ ...PEER, holdtime: 3 } as PeerOptions))
  t.throws(() => speaker.addDynamicPeers({ prefix: '10.0.0.0/8', asn: 'external', limits: 1 } as never))
  t.same(speaker.peers, [])
  t.throws(() => speaker.announce({ prefix: '192.0.2.0/24', communities: '1:2' } as never))
  t.same([...speaker.locRib()], [])
})

const SECONDS_16 = 'a whole number from 1 to 65535'

refuses(
  'addPeer, change and diffPeerOptions',
  given => {
    const speaker = new BgpSpeaker(OURS)
    let thrown: unknown
    const told = [
      () => speaker.addPeer(given),
      () => speaker.addPeer(PEER).change(given),
      () => diffPeerOptions(PEER, given),
      () => diffPeerOptions(given, PEER),
    ].map(call => {
      try {
        call()
        return 'nothing'
      } catch (error) {
        thrown = error
        return String(error)
      }
    })
    void speaker.close()
    if (new Set(told).size !== 1) throw new Error(told.join(' | '))
    throw thrown
  },
  [
    [undefined, 'TypeError', 'options must be an object with asn, not undefined'],
    ['10.0.0.2', 'TypeError', "options must be an object with asn, not the string '10.0.0.2'"],
    ...withOptions(
      [
        [
          { asn: undefined },
          'TypeError',
          /^asn must be an AS number from 1 to 4294967295, 'internal' or 'external', not undefined$/,
        ],
        [{ asn: '64513' }, 'RangeError', /^asn must be an AS number .* not the string '64513'$/],
        [{ asn: 1.5 }, 'RangeError', /^asn must be an AS number .* not 1\.5$/],
        [{ asn: null }, 'TypeError', /^asn must be an AS number .* not null$/],
        [{ address: 5 }, 'TypeError', 'address must be an IP address, not 5'],
        [{ address: 'router' }, 'RangeError', "address must be an IP address, not the string 'router'"],
        [{ sourceAddress: '1.2.3' }, 'RangeError', "sourceAddress must be an IP address, not the string '1.2.3'"],
        [{ port: '179' }, 'TypeError', `port must be ${SECONDS_16}, not the string '179'`],
        ...noNumber('port', SECONDS_16),
        [{ holdtime: 3 }, 'TypeError', 'holdtime is not an option: did you mean holdTime?'],
        [{ holdTimer: 3 }, 'TypeError', 'holdTimer is not an option: did you mean holdTime?'],
        [{ remoteAs: 1 }, 'TypeError', 'remoteAs is not an option: did you mean asn?'],
        [{ password: 'x' }, 'TypeError', 'password is not an option: did you mean md5Key?'],
        [{ holdtime: undefined }, 'TypeError', 'holdtime is not an option: did you mean holdTime?'],
        [
          { holdTime: '90' },
          'TypeError',
          "holdTime must be 0, or a whole number of seconds from 3 to 65535, not the string '90'",
        ],
        [{ holdTime: 2 }, 'RangeError', 'holdTime must be 0, or a whole number of seconds from 3 to 65535, not 2'],
        ...noNumber('holdTime', '0, or a whole number of seconds from 3 to 65535'),
        ...noNumber('connectRetryTime', SECONDS_16),
        ...noNumber('openHoldTime', SECONDS_16),
        [{ keepaliveTime: Number.NaN }, 'RangeError', 'keepaliveTime must be a number of seconds from 0 on, not NaN'],
        [{ connectTime: 0 }, 'RangeError', 'connectTime must be a number of seconds above 0, up to 65535, not 0'],
        [{ passive: 'no' }, 'TypeError', "passive must be true or false, not the string 'no'"],
        [{ name: 7 }, 'TypeError', 'name must be a string, not 7'],
        [{ md5Key: 123_456 }, 'TypeError', 'md5Key must be a string, not of type number'],
        [
          { multihop: '2' },
          'TypeError',
          "multihop must be true, false or a whole number from 1 to 255, not the string '2'",
        ],
        [{ multihop: 256 }, 'RangeError', 'multihop must be a whole number from 1 to 255, not 256'],
        [{ families: 'ipv4-unicast' }, 'TypeError', "families must be an array, not the string 'ipv4-unicast'"],
        [
          { families: ['ipv4'] },
          'RangeError',
          "families[0] must be 'ipv4-unicast' or 'ipv6-unicast', not the string 'ipv4'",
        ],
        [{ role: 'king' }, 'RangeError', /^role must be 'provider', .* or 'peer', not the string 'king'$/],
        [
          { importPolicy: 'maybe' },
          'RangeError',
          "importPolicy must be 'accept', 'reject' or a function, not the string 'maybe'",
        ],
        [{ exportPolicy: {} }, 'TypeError', "exportPolicy must be 'accept', 'reject' or a function, not an object"],
        [{ nextHop: '10.0.0.1' }, 'RangeError', "nextHop must be 'self' or 'unchanged', not the string '10.0.0.1'"],
        [{ maximumPrefixes: 0 }, 'RangeError', 'maximumPrefixes must be a whole number from 1 to 4294967295, not 0'],
        [
          { maximumPrefixes: { ipv4: 5 } },
          'TypeError',
          'maximumPrefixes.ipv4 is not an option: did you mean maximumPrefixes.ipv4-unicast?',
        ],
        [
          { gracefulRestart: 'yes' },
          'TypeError',
          "gracefulRestart must be true, false or an object, not the string 'yes'",
        ],
        [
          { gracefulRestart: { restartTme: 5 } },
          'TypeError',
          'gracefulRestart.restartTme is not an option: did you mean gracefulRestart.restartTime?',
        ],
        [
          { gracefulRestart: { staleTime: -1 } },
          'RangeError',
          'gracefulRestart.staleTime must be a number of seconds from 0 on, not -1',
        ],
        [{ addPath: { send: true } }, 'TypeError', 'addPath.send must be an array, not true'],
        [
          { extraCapabilities: [{ code: 1, value: 'x' }] },
          'TypeError',
          "extraCapabilities[0].value must be a Uint8Array, not the string 'x'",
        ],
        [{ bfd: true }, 'TypeError', 'bfd must be an object, not true'],
        [
          { bfd: { transmitIntervall: 50 } },
          'TypeError',
          'bfd.transmitIntervall is not an option: did you mean bfd.transmitInterval?',
        ],
        [
          { bfd: { authentication: 'secret' } },
          'TypeError',
          'bfd.authentication must be an object with type, keyId and key, not of type string',
        ],
      ],
      { ...PEER, address: '127.0.0.8', passive: false },
    ),
  ],
)

refuses('addDynamicPeers', given => new BgpSpeaker(OURS).addDynamicPeers(given), [
  [undefined, 'TypeError', 'options must be an object with asn and prefix, not undefined'],
  [{ asn: 1 }, 'TypeError', "prefix must be a prefix such as '192.0.2.0/24', not undefined"],
  [
    { asn: 1, prefix: '10.0.0.1' },
    'RangeError',
    "prefix must be a prefix such as '192.0.2.0/24', not the string '10.0.0.1'",
  ],
  [{ asn: 1, prefix: '10.0.0.0/8', limit: 0 }, 'RangeError', 'limit must be a whole number from 1 on, not 0'],
  [{ asn: 1, prefix: '10.0.0.0/8', port: 179 }, 'TypeError', /^port is not an option: /],
  [{ asn: 1, address: '10.0.0.0/8' }, 'TypeError', 'address is not an option: did you mean prefix?'],
])

const ROUTE_ROWS: readonly Row[] = [
  [{ prefix: undefined }, 'TypeError', 'prefix must be a string, not undefined'],
  [{ prefix: '192.0.2.0' }, 'RangeError', "prefix must be a prefix such as '192.0.2.0/24', not the string '192.0.2.0'"],
  [{ communities: '1:2' }, 'TypeError', "communities must be an array, not the string '1:2'"],
  [{ communities: ['1:2', 5] }, 'TypeError', 'communities[1] must be a string, not 5'],
  [
    { communities: ['1:2', '1'] },
    'RangeError',
    "communities[1] must be a community such as '64512:100', not the string '1'",
  ],
  [{ comunities: ['1:2'] }, 'TypeError', 'comunities is not an option: did you mean communities?'],
  [{ med: 5 }, 'TypeError', 'med is not an option: did you mean multiExitDisc?'],
  [{ nextHop: 5 }, 'TypeError', 'nextHop must be a string, not 5'],
  [
    { nextHop: '224.0.0.1' },
    'RangeError',
    "nextHop must be 'self' or the address of a host, not the string '224.0.0.1'",
  ],
  [{ origin: 'IGP' }, 'RangeError', "origin must be 'igp', 'egp' or 'incomplete', not the string 'IGP'"],
  [{ asPath: 64_513 }, 'TypeError', 'asPath must be an array, not 64513'],
  [{ asPath: [1, '2'] }, 'TypeError', `asPath[1] must be ${ASN}, not the string '2'`],
  [{ localPref: '100' }, 'TypeError', "localPref must be a whole number from 0 to 4294967295, not the string '100'"],
  ...noNumber('localPref', 'a whole number from 0 to 4294967295'),
  ...noNumber('multiExitDisc', 'a whole number from 0 to 4294967295'),
  ...noNumber('pathId', 'a whole number from 0 to 4294967295'),
  [{ attributes: [] }, 'TypeError', 'attributes must be an object, not an empty array'],
]
const announcer = new BgpSpeaker(OURS)
const toPeer = announcer.addPeer(PEER)
t.teardown(() => announcer.close())

for (const [name, announce] of [
  ['speaker', (given: Route) => announcer.announce(given)],
  ['peer', (given: Route) => toPeer.announce(given)],
] as const) {
  refuses(`${name}.announce`, announce, [
    [undefined, 'TypeError', 'route must be an object with prefix, not undefined'],
    ['10.0.0.0/24', 'TypeError', "route must be an object with prefix, not the string '10.0.0.0/24'"],
    ...withOptions(ROUTE_ROWS, ROUTE),
  ])
}

refuses('peer.setRoutes names the place', given => toPeer.setRoutes(given), [
  [undefined, 'TypeError', 'routes must be an array, not undefined'],
  [ROUTE, 'TypeError', 'routes must be an array, not an object'],
  [['10.0.0.0/24'], 'TypeError', "routes[0] must be an object with prefix, not the string '10.0.0.0/24'"],
  [
    [ROUTE, { prefix: '10.0.0.0/33' }],
    'RangeError',
    /^routes\[1\]\.prefix must be a prefix .* not the string '10\.0\.0\.0\/33'$/,
  ],
  [[ROUTE, { ...ROUTE, med: 5 }], 'TypeError', 'routes[1].med is not an option: did you mean multiExitDisc?'],
])

refuses('withdraw', given => announcer.withdraw(...(given as [string, number])), [
  [[], 'TypeError', 'prefix must be a string, not undefined'],
  [['10.0.0.0'], 'RangeError', /^prefix must be a prefix /],
  [['10.0.0.0/8', '1'], 'TypeError', /^pathId must be a whole number .* not the string '1'$/],
])

refuses(
  'peer: reset, close, requestRefresh',
  given => {
    const [method, options] = given as ['reset' | 'close' | 'requestRefresh', never]
    return toPeer[method](options)
  },
  [
    [['reset', { subcode: 256 }], 'RangeError', 'subcode must be a whole number from 0 to 255, not 256'],
    [['reset', { hart: true }], 'TypeError', 'hart is not an option: did you mean hard?'],
    [['close', { communication: 5 }], 'TypeError', 'communication must be a string, not 5'],
    [['close', 6], 'TypeError', 'options must be an object, not 6'],
    [
      ['requestRefresh', 'ipv4'],
      'RangeError',
      "family must be 'ipv4-unicast' or 'ipv6-unicast', not the string 'ipv4'",
    ],
  ],
)

t.test('one address and port has one peer', async t => {
  await using speaker = new BgpSpeaker(OURS)
  const where = { address: '127.0.0.9', port: 1, asn: 64_513 }
  const first = speaker.addPeer({ ...where, name: 'tor' })
  const message = "address must be another than 127.0.0.9, which with port 1 is that of the peer 'tor'"
  t.throws(() => speaker.addPeer({ ...where, asn: 64_514 }), { name: 'RangeError', message })
  const other = speaker.addPeer({ ...where, port: 2 })
  first.change({ ...where, name: 'tor', port: 2 })
  other.change(where)
  t.same([first.port, other.port], [2, 1], 'two may change places')
  other.change({ ...where, port: 2 })
  first.change({ ...where, name: 'tor' })
  speaker.addPeer({ ...where, sourceAddress: '127.0.0.3' })
  t.same(
    first.change({ ...where, name: 'tor', holdTime: 30 }).map(({ field }) => field),
    ['holdTime'],
    'it may stay',
  )
  const gone = first.close()
  speaker.addPeer(where)
  await gone
  t.equal(speaker.peers.length, 3)
})

refuses('the machines without I/O', given => (given as () => unknown)(), [
  [() => new Session({} as never), 'TypeError', `asn must be ${ASN}, not undefined`],
  [
    () => new Session(undefined as never),
    'TypeError',
    'options must be an object with asn, bgpIdentifier and remoteAs, not undefined',
  ],
  [
    () => new ReceivingSpeaker({ staletime: 1 } as never),
    'TypeError',
    'staletime is not an option: did you mean staleTime?',
  ],
  [() => new RestartingSpeaker({ families: 4 } as never, 0), 'TypeError', 'families must be an array, not 4'],
  [() => new LocRib({ maximumPaths: 1.5 }), 'RangeError', 'maximumPaths must be a whole number from 1 on, not 1.5'],
  [() => parseCommunities('1:2' as never), 'TypeError', "texts must be an array, not the string '1:2'"],
])

refuses('BMP and MRT', given => (given as () => unknown)(), [
  [() => new BmpStation(undefined as never), 'TypeError', 'options must be an object with port, not undefined'],
  [() => new BmpStation({ port: 70_000 }), 'RangeError', 'port must be a whole number from 0 to 65535, not 70000'],
  [
    () => new BmpStation({ port: 1, maxPeer: 1 } as never),
    'TypeError',
    'maxPeer is not an option: did you mean maxPeers?',
  ],
  [() => new BmpClient({ speaker: announcer } as never), 'TypeError', 'host must be a string, not undefined'],
  [
    () => new BmpClient({ speaker: 5 } as never),
    'TypeError',
    'speaker must be an object with on(), off() and locRib(), not 5',
  ],
  [
    () => new MrtRecorder({ speaker: announcer, output: 'file' } as never),
    'TypeError',
    "output must be an object with write(), not the string 'file'",
  ],
  [
    () => dumpTable(announcer, { viewname: 'x' } as never),
    'TypeError',
    'viewname is not an option: did you mean viewName?',
  ],
  [
    () => dumpTable(undefined as never),
    'TypeError',
    'speaker must be an object with on(), off() and locRib(), not undefined',
  ],
  [() => readMrt(undefined as never), 'TypeError', 'source must be an iterable of octets, not undefined'],
  [() => readMrt([], { maxlength: 5 } as never), 'TypeError', 'maxlength is not an option: did you mean maxLength?'],
])

t.test('Bfd.start', async t => {
  await t.rejects(Bfd.start({ raisePriority: 1 } as never), {
    name: 'TypeError',
    message: 'raisePriority must be true or false, not 1',
  })
  await t.rejects(Bfd.start({ logger: {} } as never), {
    name: 'TypeError',
    message: 'logger is not an option: did you mean log?',
  })
})

t.test('what is left out, or undefined, is no mistake', async t => {
  await using speaker = new BgpSpeaker({ ...OURS, listen: undefined, log: undefined } as unknown as BgpSpeakerOptions)
  t.equal(speaker.addPeer({ ...PEER, holdTime: undefined } as unknown as PeerOptions).asn, 64_513)
})

t.test('RFC 9687 section 4.4: an option that does not go with another', async t => {
  t.throws(() => announcer.addPeer({ address: '127.0.0.7', asn: 64_513, sendHoldTime: 60 }), {
    name: 'RangeError',
    message: 'sendHoldTime must be 0 or more than the holdTime of 90 s, not 60',
  })
})
