import t from 'tap'
import { checkSessionOptions, SESSION_DEFAULTS, type SessionOptions } from '@typemetal/bgp/bfd'
import { Lone, MS } from './bfd/lone.js'

t.test("the defaults are those of FRR's bfdd and of MetalLB's BFDProfile", async t => {
  const defaults = {
    receiveInterval: 300,
    transmitInterval: 300,
    detectMultiplier: 3,
    echoInterval: 50,
    echoMode: false,
    passiveMode: false,
    minimumTtl: 254,
    authentication: undefined,
  }
  t.same(SESSION_DEFAULTS, defaults)
  t.same(checkSessionOptions(), defaults)
  t.same(checkSessionOptions({ echoMode: undefined as never, receiveInterval: 10 }), {
    ...defaults,
    receiveInterval: 10,
  })
})

t.test('options that have been checked stay as they are', async t => {
  const checked = checkSessionOptions({ transmitInterval: 10 })
  t.equal(checkSessionOptions(checked), checked)
})

const authentication = { type: 'keyed-md5', keyId: 1, key: 'secret' } as const

const FAULTS: readonly [options: SessionOptions, name: string, message: RegExp][] = [
  [{ receiveInterval: 0 }, 'RangeError', /^receiveInterval /],
  [{ receiveInterval: 0.5 }, 'RangeError', /^receiveInterval /],
  [{ transmitInterval: 4_294_968 }, 'RangeError', /^transmitInterval /],
  [{ detectMultiplier: 0 }, 'RangeError', /^detectMultiplier /],
  [{ detectMultiplier: 256 }, 'RangeError', /^detectMultiplier /],
  [{ echoInterval: NaN }, 'RangeError', /^echoInterval /],
  [{ minimumTtl: 255 }, 'RangeError', /^minimumTtl /],
  [{ minimumTtl: 0 }, 'RangeError', /^minimumTtl /],
  [{ echoMode: 1 as never }, 'TypeError', /^echoMode /],
  [{ passiveMode: 'yes' as never }, 'TypeError', /^passiveMode /],
  [
    { authentication: null as never },
    'TypeError',
    /^authentication must be an object with type, keyId and key, not null/,
  ],
  [{ authentication: 'secret' as never }, 'TypeError', /^authentication must be an object [^']+, not of type string$/],
  [{ authentication: { ...authentication, type: 'md5' as never } }, 'RangeError', /^authentication.type /],
  [{ authentication: { ...authentication, keyId: 256 } }, 'RangeError', /^authentication.keyId /],
  [{ authentication: { ...authentication, key: '' } }, 'RangeError', /^authentication.key /],
  [{ authentication: { ...authentication, key: 'a'.repeat(17) } }, 'RangeError', /^authentication.key /],
  [{ authentication: { ...authentication, key: 'é'.repeat(9) } }, 'RangeError', /^authentication.key .*not 18/],
  [{ authentication: { ...authentication, key: 5 as never } }, 'TypeError', /^authentication.key /],
  [{ authentication: { type: 'keyed-sha1', keyId: 1, key: 'a'.repeat(21) } }, 'RangeError', /^authentication.key /],
  [
    { authentication: { type: 'simple-password', keyId: 1, key: 'a'.repeat(17) } },
    'RangeError',
    /^authentication.key /,
  ],
]

t.test('what does not fit is refused by name, by a session that exists too', async t => {
  const lone = new Lone()
  const before = lone.snapshot
  for (const [options, name, message] of FAULTS) {
    t.throws(() => checkSessionOptions(options), { name, message })
    t.throws(() => lone.session.change(options, 0), { name, message })
  }
  t.same(lone.snapshot, before)
})

t.test('the ends of the ranges are accepted', async t => {
  const longest = 4_294_967
  const options = { receiveInterval: longest, transmitInterval: longest, echoInterval: longest, detectMultiplier: 255 }
  const lone = new Lone({ ...options, echoMode: true, minimumTtl: 1 })
  lone.advance(0)
  const interval = longest * MS
  t.match(lone.take(), [
    {
      desiredMinTxInterval: interval,
      requiredMinRxInterval: interval,
      requiredMinEchoRxInterval: interval,
      detectMult: 255,
    },
  ])
  t.match(checkSessionOptions({ authentication: { type: 'keyed-sha1', keyId: 0, key: 'a'.repeat(20) } }), {
    authentication: { keyId: 0 },
  })
})

t.test('the key is copied', async t => {
  const key = new Uint8Array([1, 2])
  const checked = checkSessionOptions({ authentication: { ...authentication, key } })
  key[0] = 9
  t.same(checked.authentication?.key, new Uint8Array([1, 2]))
})
