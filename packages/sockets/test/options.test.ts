/** What a program hears that gives something wrong, before any socket is opened: these need no privilege. */
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import t from 'tap'
import {
  connectTcp,
  DeadlineTimer,
  Icmpv6Socket,
  LinkMonitor,
  listAddresses,
  listenTcp,
  listRoutes,
  PacketSocket,
  RawIpSocket,
  readRtnetlink,
  RtnetlinkMonitor,
  setServerMd5Key,
  setServerTcpOptions,
  TcpSocket,
  UdpSocket,
  watchRtnetlink,
} from '@typemetal/sockets'

type Row = readonly [given: unknown, type: 'TypeError' | 'RangeError', message: string]

const WRONG_NUMBERS = [Number.NaN, -1, 0.5, 2 ** 53, Infinity]
const noNumber = (name: string, wanted: string): readonly Row[] =>
  WRONG_NUMBERS.map(value => [{ [name]: value }, 'RangeError', `${name} must be ${wanted}, not ${value}`])
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

const ignore = (): void => {}
const INDEX = 'a whole number from 1 to 2147483647'
const SIZE = 'a whole number from 1 to 2147483647'
const HOPS = 'a whole number from 1 to 255'
const VERSION: Row = [{ family: 6.5 }, 'RangeError', 'family must be 4 or 6, not 6.5']

refuses('PacketSocket', given => new PacketSocket(given), [
  [undefined, 'TypeError', 'options must be an object with interfaceIndex, etherType and onFrames, not undefined'],
  [{}, 'TypeError', `interfaceIndex must be ${INDEX}, not undefined`],
  [{ interfaceIndex: 'eth0' }, 'TypeError', `interfaceIndex must be ${INDEX}, not the string 'eth0'`],
  ...withOptions({ interfaceIndex: 1, etherType: 0x0806, onFrames: ignore }, [
    ...noNumber('interfaceIndex', INDEX),
    ...noNumber('etherType', 'a whole number from 0 to 65535'),
    ...noNumber('receiveBuffer', SIZE),
    ...noNumber('sendBuffer', SIZE),
    ...noNumber('frameSpace', 'a whole number from 1 to 65568'),
    [{ onFrames: undefined }, 'TypeError', 'onFrames must be a function, not undefined'],
    [{ onFrame: ignore }, 'TypeError', 'onFrame is not an option: did you mean onFrames?'],
    [{ onerror: ignore }, 'TypeError', 'onerror is not an option: did you mean onError?'],
    [{ filter: 'arp' }, 'TypeError', "filter must be an array of BPF instructions, not the string 'arp'"],
    [{ promiscuous: 1 }, 'TypeError', 'promiscuous must be true or false, not 1'],
  ]),
])

refuses('Icmpv6Socket', given => new Icmpv6Socket(given), [
  [null, 'TypeError', 'options must be an object with interfaceIndex, types and onPackets, not null'],
  ...withOptions({ interfaceIndex: 1, types: [], onPackets: ignore }, [
    ...noNumber('interfaceIndex', INDEX),
    ...noNumber('hopLimit', 'a whole number from 0 to 255'),
    [{ types: 135 }, 'TypeError', 'types must be an array, not 135'],
    [{ types: [135, 256] }, 'RangeError', 'types[1] must be a whole number from 0 to 255, not 256'],
    [{ source: 'here' }, 'TypeError', "source must be an IP address, not the string 'here'"],
    [{ type: [135] }, 'TypeError', 'type is not an option: did you mean types?'],
  ]),
])

refuses('UdpSocket', given => new UdpSocket(given), [
  [undefined, 'TypeError', 'options must be an object with address and port, not undefined'],
  [{}, 'TypeError', 'address must be an IP address, not undefined'],
  ...withOptions({ address: '127.0.0.1', port: 0 }, [
    [{ address: 'localhost' }, 'TypeError', "address must be an IP address, not the string 'localhost'"],
    [{ port: '53' }, 'TypeError', "port must be a whole number from 0 to 65535, not the string '53'"],
    ...noNumber('port', 'a whole number from 0 to 65535'),
    ...noNumber('ttl', HOPS),
    ...noNumber('trafficClass', 'a whole number from 0 to 255'),
    [
      { device: 'longer-than-fifteen' },
      'RangeError',
      "device must be the name of an interface, not the string 'longer-than-fifteen'",
    ],
    [{ host: '::' }, 'TypeError', 'host is not an option: did you mean address?'],
  ]),
])

refuses('RawIpSocket', given => new RawIpSocket(given), [
  [{}, 'TypeError', 'family must be 4 or 6, not undefined'],
  VERSION,
  [{ family: 4, device: 5 }, 'TypeError', 'device must be a string, not 5'],
])

refuses('TcpSocket and DeadlineTimer', given => (given as () => unknown)(), [
  [() => new TcpSocket('4' as never), 'TypeError', "family must be 4 or 6, not the string '4'"],
  [() => new TcpSocket(5 as never), 'RangeError', 'family must be 4 or 6, not 5'],
  [() => new DeadlineTimer(undefined as never), 'TypeError', 'onExpire must be a function, not undefined'],
])

refuses('connectTcp', given => connectTcp(given), [
  [undefined, 'TypeError', 'options must be an object with address and port, not undefined'],
  ...withOptions({ address: '127.0.0.1', port: 1 }, [
    [{ port: 0 }, 'RangeError', 'port must be a whole number from 1 to 65535, not 0'],
    ...noNumber('ttl', HOPS),
    ...noNumber('minTtl', HOPS),
    ...noNumber('userTimeout', 'a whole number from 0 to 2147483647'),
    [{ timeout: Number.NaN }, 'RangeError', 'timeout must be a number of milliseconds from 0 on, not NaN'],
    [{ signal: {} }, 'TypeError', 'signal must be an AbortSignal, not an object'],
    [{ md5Key: 7 }, 'TypeError', 'md5Key must be a string or a Uint8Array, not of type number'],
    [{ md5Key: 'x'.repeat(81) }, 'RangeError', 'md5Key must have at most 80 octets, not 81'],
    [{ localAddress: '::1' }, 'TypeError', 'localAddress is not an option: did you mean sourceAddress?'],
  ]),
])

refuses('listenTcp', given => listenTcp(given), [
  [{}, 'TypeError', 'port must be a whole number from 0 to 65535, not undefined'],
  ...withOptions({ port: 0 }, [
    [{ backlog: -1 }, 'RangeError', 'backlog must be a whole number from 0 to 2147483647, not -1'],
    [
      { md5Keys: [{ address: '::1' }] },
      'TypeError',
      'md5Keys[0].key must be a string or a Uint8Array, not of type undefined',
    ],
    [
      { md5Keys: ['secret'] },
      'TypeError',
      "md5Keys[0] must be an object with address and key, not the string 'secret'",
    ],
    [{ besides: 179 }, 'TypeError', 'besides must be an object with listen() and address(), not 179'],
    [{ ipv6only: true }, 'TypeError', 'ipv6only is not an option: did you mean ipv6Only?'],
  ]),
])

refuses('options of a server', given => (given as () => unknown)(), [
  [() => setServerTcpOptions(createServer(), { ttl: 0 }), 'RangeError', `ttl must be ${HOPS}, not 0`],
  [() => setServerTcpOptions(createServer(), { saveSyn: 1 as never }), 'TypeError', 'saveSyn must be true, not 1'],
  [
    () => setServerMd5Key(createServer(), { address: 'x', key: 'y' }),
    'TypeError',
    "key.address must be an IP address, not the string 'x'",
  ],
])

refuses('rtnetlink', given => (given as () => unknown)(), [
  [() => new LinkMonitor({} as never), 'TypeError', 'onChange must be a function, not undefined'],
  [
    () => new RtnetlinkMonitor({ kinds: [], onChanges: ignore, onLost: ignore }),
    'RangeError',
    'kinds must have one at least',
  ],
  [() => watchRtnetlink({ kinds: 'link' as never }), 'TypeError', "kinds must be an array, not the string 'link'"],
  [
    () => watchRtnetlink({ kinds: ['links' as never] }),
    'RangeError',
    "kinds[0] must be 'link', 'neighbor', 'address' or 'route', not the string 'links'",
  ],
  [
    () => listAddresses({ interface: 1 } as never),
    'TypeError',
    'interface is not an option: did you mean interfaceIndex?',
  ],
  [() => listRoutes(4 as never), 'TypeError', 'filter must be an object, not 4'],
  [() => listRoutes({ table: 0 }), 'RangeError', 'table must be a whole number from 1 to 4294967295, not 0'],
  [
    () => readRtnetlink('routes' as never),
    'RangeError',
    "kind must be 'link', 'address', 'neighbor' or 'route', not the string 'routes'",
  ],
])
