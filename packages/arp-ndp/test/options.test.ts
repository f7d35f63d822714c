/** What a program hears that gives something wrong, before any socket is opened: these need no privilege. */
import { inspect } from 'node:util'
import t from 'tap'
import { Layer2, probe, resolve } from '@typemetal/arp-ndp'
import { AddressProbe, AttemptLimit, ConflictDetector } from '@typemetal/arp-ndp/acd'
import { Resolver } from '@typemetal/arp-ndp/resolver'
import { OwnedAddresses } from '@typemetal/arp-ndp/responder'
import { WantedSet } from '../dist/node/wanted-set.js'

type Row = readonly [given: unknown, type: 'TypeError' | 'RangeError', message: string]

const WRONG_NUMBERS = [Number.NaN, -1, Infinity]
const noNumber = (name: string, wanted: string, values: readonly number[] = WRONG_NUMBERS): readonly Row[] =>
  values.map(value => [{ [name]: value }, 'RangeError', `${name} must be ${wanted}, not ${value}`])
const withOptions = (base: object, rows: readonly Row[]): readonly Row[] =>
  rows.map(([given, ...expected]) => [{ ...base, ...(given as object) }, ...expected])

function refuses(name: string, call: (given: never) => unknown, rows: readonly Row[]): void {
  t.test(name, async t => {
    for (const [given, type, message] of rows) {
      const said = inspect(given, { breakLength: Infinity })
      await t.rejects(async () => call(given as never), { name: type, message }, said)
    }
  })
}

const DURATION = 'a number of milliseconds from 0 on'
const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1)
const V4 = Uint8Array.of(192, 0, 2, 1)
const IDENTITY = { protocol: 'arp', interface: 'eth0', mac: MAC } as const

refuses('Layer2.start', given => Layer2.start(given), [
  [null, 'TypeError', 'options must be an object, not null'],
  ['eth0', 'TypeError', "options must be an object, not the string 'eth0'"],
  [{ excludeInterfaces: '^lo$' }, 'TypeError', "excludeInterfaces must be an array, not the string '^lo$'"],
  [{ excludeInterfaces: [/lo/] }, 'TypeError', 'excludeInterfaces[0] must be a string, not a RegExp'],
  [{ excludeInterface: [] }, 'TypeError', 'excludeInterface is not an option: did you mean excludeInterfaces?'],
  [
    { scanInterval: '10s' },
    'TypeError',
    "scanInterval must be a number of milliseconds from 1 to 2147483647, not the string '10s'",
  ],
  ...noNumber('scanInterval', 'a number of milliseconds from 1 to 2147483647', [0, ...WRONG_NUMBERS]),
  ...noNumber('refreshInterval', 'a number of milliseconds from 1000 to 2147483647', [999, ...WRONG_NUMBERS]),
  ...noNumber('gratuitousRate', 'a number from 1 to 1000000', [0, 2e6, ...WRONG_NUMBERS]),
  [{ defend: 'sometimes' }, 'RangeError', "defend must be 'never', 'once' or 'always', not the string 'sometimes'"],
  [{ defend: true }, 'TypeError', "defend must be 'never', 'once' or 'always', not true"],
  [{ raisePriority: 1 }, 'TypeError', 'raisePriority must be true or false, not 1'],
  [
    { log: () => {} },
    'TypeError',
    'log must be an object with debug(), info(), warn(), error() and child(), not a function',
  ],
  [{ signal: {} }, 'TypeError', 'signal must be an AbortSignal, not an object'],
])

const WHERE = { interface: 'lo', address: '192.0.2.1' }
for (const [name, ask] of [
  ['resolve', resolve],
  ['probe', probe],
] as const) {
  refuses(name, ask, [
    [
      {},
      'TypeError',
      name === 'probe' ? 'interface must be a string, not undefined' : 'interface must be a string, not undefined',
    ],
    ...withOptions(WHERE, [
      [{ interface: 5 }, 'TypeError', 'interface must be a string, not 5'],
      [{ address: 5 }, 'TypeError', 'address must be the IP address of one host, not 5'],
      [{ address: 'router' }, 'TypeError', "address must be the IP address of one host, not the string 'router'"],
      [
        { address: '224.0.0.1' },
        'RangeError',
        "address must be the IP address of one host, not the string '224.0.0.1'",
      ],
      [{ adress: '192.0.2.1' }, 'TypeError', 'adress is not an option: did you mean address?'],
      [{ signal: 5 }, 'TypeError', 'signal must be an AbortSignal, not 5'],
    ]),
  ])
}
refuses('resolve: how long and from where', resolve, [
  [undefined, 'TypeError', 'options must be an object with interface and address, not undefined'],
  ...withOptions(WHERE, [
    ...noNumber('timeout', DURATION),
    ...noNumber('interval', DURATION),
    ...noNumber('attempts', 'a whole number from 1 on', [...WRONG_NUMBERS, 0, 1.5]),
    [{ collect: 'last' }, 'RangeError', "collect must be 'all' or 'first', not the string 'last'"],
    [{ source: 'me' }, 'TypeError', "source must be an IP address, not the string 'me'"],
    [{ to: '02:00' }, 'RangeError', "to must be a MAC address such as '02:00:00:00:00:01', not the string '02:00'"],
  ]),
])
refuses('probe: times', probe, [
  [undefined, 'TypeError', 'options must be an object with interface and address, not undefined'],
  ...withOptions(WHERE, [
    ...noNumber('probeWait', DURATION),
    ...noNumber('probeNum', 'a whole number from 1 on', [...WRONG_NUMBERS, 0, 1.5]),
    ...noNumber('dupAddrDetectTransmits', 'a whole number from 0 on', [...WRONG_NUMBERS, 0.5]),
    [{ limit: 3 }, 'TypeError', 'limit must be an object with attempt() and conflicted(), not 3'],
    [{ probewait: 1 }, 'TypeError', 'probewait is not an option: did you mean probeWait?'],
  ]),
])

refuses('the machines without I/O', given => (given as () => unknown)(), [
  [
    () => new Resolver({ mac: MAC, source: V4, address: V4 }, {} as never),
    'TypeError',
    'now must be a number of milliseconds on a clock, not undefined',
  ],
  [
    () => new Resolver({ mac: MAC, source: V4, address: V4 }, { now: 0, tries: 1 } as never),
    'TypeError',
    'tries is not an option: the options here are attempts, interval, timeout, collect and now',
  ],
  [() => new AddressProbe(IDENTITY, V4, { now: 0 } as never), 'TypeError', 'random must be a function, not undefined'],
  [
    () => new AddressProbe(IDENTITY, V4, { now: 0, random: () => 0, probeMin: 5, probeMax: 4 }),
    'RangeError',
    'probeMax must be no less than probeMin, which is 5, not 4',
  ],
  [
    () => new AddressProbe(IDENTITY, MAC, { now: 0, random: () => 0 }),
    'RangeError',
    'address must have 4 octets, not 6',
  ],
  [
    () => new AttemptLimit({ maxConflicts: Number.NaN }),
    'RangeError',
    'maxConflicts must be a number from 0 on, not NaN',
  ],
  [
    () => new AttemptLimit({ maxConflict: 1 } as never),
    'TypeError',
    'maxConflict is not an option: did you mean maxConflicts?',
  ],
  [
    () => new ConflictDetector(IDENTITY, new OwnedAddresses(), { expiry: '1m' } as never),
    'TypeError',
    "expiry must be a number from 0 on, not the string '1m'",
  ],
])

refuses('addresses to answer for', given => new WantedSet().replace(given), [
  [undefined, 'TypeError', 'wanted must be an array, not undefined'],
  [[undefined], 'TypeError', 'entry must be an object with address and interfaces, not undefined'],
  [['192.0.2.1'], 'TypeError', "entry must be an object with address and interfaces, not the string '192.0.2.1'"],
  [[{ address: '192.0.2.1' }], 'TypeError', "interfaces must be 'all' or an array of names, not undefined"],
  [
    [{ address: '192.0.2.1', interfaces: 'eth0' }],
    'TypeError',
    "interfaces must be 'all' or an array of names, not the string 'eth0'",
  ],
  [[{ address: '192.0.2.1', interfaces: [5] }], 'TypeError', 'interfaces[0] must be a string, not 5'],
  [
    [{ address: '192.0.2.1', interfaces: 'all', iface: 'x' }],
    'TypeError',
    'iface is not an option: the options here are address and interfaces',
  ],
  [[{ address: 5, interfaces: 'all' }], 'TypeError', 'address must be a string, not 5'],
])

refuses('changes of them', given => new WantedSet().change(...(given as [never, never])), [
  [[{}, []], 'TypeError', 'set must be an array, not an object'],
  [[[], '192.0.2.1'], 'TypeError', "remove must be an array, not the string '192.0.2.1'"],
  [[[], [5]], 'TypeError', 'remove[0] must be a string, not 5'],
])
