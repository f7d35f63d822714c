/** What a program hears that gives something wrong: the name of the option, what is wanted, what was given. */
import { inspect } from 'node:util'
import t from 'tap'
import { Keyring, Memberlist } from '@typemetal/memberlist'
import { Simulator } from '@typemetal/memberlist/simulator'
import { Swim, tuningOf } from '@typemetal/memberlist/swim'
import { start } from './nodes.js'

type Row = readonly [given: unknown, type: 'TypeError' | 'RangeError', message: string]

const WRONG_NUMBERS = [Number.NaN, -1, 2 ** 53, Infinity]
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

const NODE = { name: 'a', bindAddress: '127.0.0.1' }
const DURATION = 'a number of milliseconds from 0 to 2147483647'
const COUNT = `a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`

refuses('new Memberlist', given => new Memberlist(given), [
  [undefined, 'TypeError', 'options must be an object with name and bindAddress, not undefined'],
  ['a', 'TypeError', "options must be an object with name and bindAddress, not the string 'a'"],
  [{}, 'TypeError', 'name must be a string of 1 to 256 characters, not undefined'],
  [{ name: 'a' }, 'TypeError', 'bindAddress must be a string, not undefined'],
  ...withOptions(NODE, [
    [{ name: '' }, 'RangeError', "name must be a string of 1 to 256 characters, not the string ''"],
    [{ bindAddress: 'localhost' }, 'RangeError', "bindAddress must be an IP address, not the string 'localhost'"],
    [{ bindPort: '7946' }, 'TypeError', "bindPort must be a whole number from 0 to 65535, not the string '7946'"],
    ...noNumber('bindPort', 'a whole number from 0 to 65535', [Number.NaN, -1, 0.5, 65_536]),
    ...noNumber('advertisePort', 'a whole number from 1 to 65535', [0, 65_536]),
    [{ advertiseAddress: 5 }, 'TypeError', 'advertiseAddress must be a string, not 5'],
    [{ port: 7946 }, 'TypeError', 'port is not an option: did you mean bindPort?'],
    [{ probeIntervall: 5 }, 'TypeError', 'probeIntervall is not an option: did you mean probeInterval?'],
    [{ logger: console }, 'TypeError', 'logger is not an option: did you mean log?'],
    [
      { log: {} },
      'TypeError',
      'log must be an object with debug(), info(), warn(), error() and child(), not an object',
    ],
    [{ preset: 'LAN' }, 'RangeError', "preset must be 'lan', 'wan', 'local' or 'fast', not the string 'LAN'"],
    [{ secretKeys: 'secret' }, 'TypeError', "secretKeys must be an array, not the string 'secret'"],
    [
      { secretKeys: ['0123456789abcdef'] },
      'TypeError',
      'secretKeys[0] must be a Uint8Array of 16, 24 or 32 octets, not of type string',
    ],
    [
      { secretKeys: [new Uint8Array(5)] },
      'RangeError',
      'secretKeys[0] must be a Uint8Array of 16, 24 or 32 octets, not of 5',
    ],
    [{ label: 'x'.repeat(256) }, 'RangeError', 'label must have at most 255 octets, not 256'],
    [{ meta: 'rack 7' }, 'TypeError', "meta must be a Uint8Array, not the string 'rack 7'"],
    [{ meta: new Uint8Array(513) }, 'RangeError', 'meta must have at most 512 octets, not 513'],
    [{ protocolVersion: 6 }, 'RangeError', 'protocolVersion must be a whole number from 1 to 5, not 6'],
    [
      { delegateVersions: { min: 1, max: 2 } },
      'TypeError',
      'delegateVersions.current must be a whole number from 0 to 255, not undefined',
    ],
    [
      { delegateVersions: { min: 3, max: 2, current: 2 } },
      'RangeError',
      'delegateVersions must be in order, min, current, max, not 3, 2, 2',
    ],
    [{ delegate: { localState: 5 } }, 'TypeError', 'delegate.localState must be a function, not 5'],
    [{ allowedCidrs: '10.0.0.0/8' }, 'TypeError', "allowedCidrs must be an array, not the string '10.0.0.0/8'"],
    [
      { allowedCidrs: ['10.0.0.0/99'] },
      'RangeError',
      "allowedCidrs[0] must be an address block such as '10.0.0.0/8', not the string '10.0.0.0/99'",
    ],
    [{ gossipVerifyIncoming: 0 }, 'TypeError', 'gossipVerifyIncoming must be true or false, not 0'],
    [{ signal: {} }, 'TypeError', 'signal must be an AbortSignal, not an object'],
    [{ random: 0.5 }, 'TypeError', 'random must be a function, not 0.5'],
    [{ clock: Date }, 'TypeError', 'clock must be an object with now() and after(), not a function'],
    [{ probeInterval: '1s' }, 'TypeError', `probeInterval must be ${DURATION}, not the string '1s'`],
    ...noNumber('probeInterval', DURATION),
    ...noNumber('tcpTimeout', DURATION),
    ...noNumber('gossipNodes', COUNT, [...WRONG_NUMBERS, 0.5]),
    ...noNumber('indirectChecks', COUNT, [...WRONG_NUMBERS, 0.5]),
    ...noNumber('suspicionMult', 'a number from 0 on'),
    ...noNumber('udpBufferSize', `a whole number from 128 to ${Number.MAX_SAFE_INTEGER}`, [10, 1400.5]),
  ]),
])

refuses('Swim, tuningOf and Keyring', given => (given as () => unknown)(), [
  [
    () => new Swim(undefined as never),
    'TypeError',
    'options must be an object with name, address and port, not undefined',
  ],
  [() => new Swim({ ...NODE } as never), 'TypeError', 'bindAddress is not an option: did you mean address?'],
  [
    () => new Swim({ name: 'a', address: new Uint8Array(5), port: 1 }),
    'RangeError',
    'address must have 4 or 16 octets, not 5',
  ],
  [() => tuningOf({ gossipInterval: -1 }), 'RangeError', `gossipInterval must be ${DURATION}, not -1`],
  [() => new Keyring('secret' as never), 'TypeError', "keys must be an array, not the string 'secret'"],
  [
    () => new Keyring().add('0123456789abcdef' as never),
    'TypeError',
    'key must be a Uint8Array of 16, 24 or 32 octets, not of type string',
  ],
])

refuses('Simulator', given => new Simulator(given), [
  [null, 'TypeError', 'options must be an object, not null'],
  [{ sead: 1 }, 'TypeError', 'sead is not an option: did you mean seed?'],
  [{ loss: 1.5 }, 'RangeError', 'loss must be a number from 0 to 1, not 1.5'],
  [{ latency: 5 }, 'TypeError', 'latency must be an array, not 5'],
  [{ latency: [1] }, 'RangeError', 'latency must be two numbers, not an array'],
])

t.test('what methods are called with', async t => {
  const node = await start(t, 'a')
  const rows: readonly (readonly [call: () => unknown, ...rest: readonly [type: string, message: string]])[] = [
    [() => node.join('127.0.0.1' as never), 'TypeError', "addresses must be an array, not the string '127.0.0.1'"],
    [() => node.join([7946] as never), 'TypeError', 'addresses[0] must be a string, not 7946'],
    [() => node.leave(-1), 'RangeError', 'timeout must be a number of milliseconds from 0 on, not -1'],
    [
      () => node.leave('1s' as never),
      'TypeError',
      "timeout must be a number of milliseconds from 0 on, not the string '1s'",
    ],
    [() => node.updateMeta('x' as never), 'TypeError', "meta must be a Uint8Array, not the string 'x'"],
    [() => node.broadcast('x' as never), 'TypeError', "payload must be a Uint8Array, not the string 'x'"],
    [() => node.broadcast(new Uint8Array(1), 5 as never), 'TypeError', 'name must be a string, not 5'],
    [
      () => node.sendBestEffort('b' as never, new Uint8Array(1)),
      'TypeError',
      "to must be an object with address and port, not the string 'b'",
    ],
    [
      () => node.sendReliable({ address: '127.0.0.1', port: 0 }, new Uint8Array(1)),
      'RangeError',
      'to.port must be a whole number from 1 to 65535, not 0',
    ],
    [
      () => node.ping('b', { address: 'b', port: 1 }),
      'RangeError',
      "to.address must be an IP address, not the string 'b'",
    ],
    [() => node.accuse(undefined as never), 'TypeError', 'name must be a string, not undefined'],
  ]
  for (const [call, type, message] of rows) await t.rejects(async () => call(), { name: type, message })
  t.equal(node.members().length, 1, 'and it goes on')
})

t.test('a program above may be an object of any class', async t => {
  class Program {
    readonly calls = 0
    localState(): Uint8Array {
      return new Uint8Array(this.calls)
    }
  }
  const node = new Memberlist({ ...NODE, delegate: new Program(), bindPort: 0, meta: undefined } as never)
  t.equal(node.port, 0)
  await node.close()
})
