import t from 'tap'
import {
  decodeControlPacket,
  encodeControlPacket,
  type AuthenticationOptions,
  type ControlPacket,
} from '@typemetal/bgp/bfd'
import { LOCAL, Lone, MS, S } from './bfd/lone.js'
import { digest, PACKET } from './bfd/packets.js'
import { hex, toHex } from './octets.js'

const KEYED = ['keyed-md5', 'keyed-sha1'] as const
const METICULOUS = ['meticulous-keyed-md5', 'meticulous-keyed-sha1'] as const
const INTERVALS = { desiredMinTxInterval: 100 * MS, requiredMinRxInterval: 100 * MS }
const PEER = { state: 'Up', ...INTERVALS } as const
const OPTIONS = { transmitInterval: 100, receiveInterval: 100 }
type DigestType = (typeof KEYED)[number] | (typeof METICULOUS)[number]
const options = (type: AuthenticationOptions['type']): AuthenticationOptions => ({ type, keyId: 7, key: 'secret' })

/** The other end: signs as the RFC says, with no code of the session. */
class Signer {
  sequenceNumber = 100
  readonly type: DigestType
  readonly keyId: number
  readonly key: string
  constructor(type: DigestType, keyId = 7, key = 'secret') {
    this.type = type
    this.keyId = keyId
    this.key = key
  }

  sign(packet: Partial<ControlPacket>, sequenceNumber = ++this.sequenceNumber): Uint8Array {
    const md5 = this.type.endsWith('md5')
    const padded = new Uint8Array(md5 ? 16 : 20)
    padded.set(Buffer.from(this.key))
    const authentication = { type: this.type, keyId: this.keyId, sequenceNumber, digest: padded }
    const octets = encodeControlPacket({ ...PACKET, yourDiscriminator: LOCAL, ...packet, authentication })
    octets.set(digest(md5 ? 'md5' : 'sha1', octets), 32)
    return octets
  }

  /** Gives a packet to a session. */
  give(lone: Lone, packet: Partial<ControlPacket> = PEER, sequenceNumber?: number): void {
    const octets = this.sign(packet, sequenceNumber)
    lone.perform(lone.session.receive(decodeControlPacket(octets), octets, lone.now))
  }

  /** A session that is Up with this one, its last sequence number known. */
  up(): Lone {
    const lone = new Lone({ ...OPTIONS, authentication: { type: this.type, keyId: this.keyId, key: this.key } })
    lone.advance(0)
    this.give(lone, { ...PEER, state: 'Init' })
    this.give(lone, { ...PEER, final: true })
    lone.take()
    return lone
  }
}

t.test('RFC 5880 section 6.7.2: Simple Password', async t => {
  const lone = new Lone({ ...OPTIONS, authentication: options('simple-password') })
  lone.advance(0)
  t.match(lone.take(), [
    { authentication: { type: 'simple-password', keyId: 7, password: Uint8Array.from(Buffer.from('secret')) } },
  ])
  const password = Buffer.from('secret')
  const wrong: [ControlPacket['authentication'], string][] = [
    [undefined, 'authentication-missing'],
    [{ type: 'simple-password', keyId: 8, password }, 'authentication-key-id'],
    [{ type: 'simple-password', keyId: 7, password: Buffer.from('secre') }, 'authentication-password'],
    [{ type: 'simple-password', keyId: 7, password: Buffer.from('secret!') }, 'authentication-password'],
    [{ type: 'simple-password', keyId: 7, password: Buffer.from('secreT') }, 'authentication-password'],
    [{ type: 'unknown', code: 6, data: password }, 'authentication-type'],
    [{ type: 'keyed-md5', keyId: 7, sequenceNumber: 0, digest: new Uint8Array(16) }, 'authentication-type'],
  ]
  for (const [authentication] of wrong) lone.receive({ state: 'Init', ...(authentication && { authentication }) })
  t.same(
    lone.discards,
    wrong.map(([, reason]) => reason),
  )
  t.equal(lone.state, 'Down')
  lone.receive({ state: 'Init', authentication: { type: 'simple-password', keyId: 7, password } })
  t.equal(lone.state, 'Up')
})

t.test('RFC 5880 section 6.8.6: an A bit that was not agreed on is discarded', async t => {
  const lone = new Lone()
  lone.receive({ state: 'Init', authentication: { type: 'simple-password', keyId: 7, password: hex('00') } })
  t.same(lone.discards, ['authentication-unexpected'])
  t.equal(lone.state, 'Down')
})

for (const type of [...KEYED, ...METICULOUS]) {
  const meticulous = type.startsWith('meticulous')
  const section = type.endsWith('md5') ? '6.7.3' : '6.7.4'

  t.test(`RFC 5880 section ${section}: ${type}, what we send`, async t => {
    const signer = new Signer(type)
    const lone = signer.up()
    for (let round = 0; round < 4; round++) {
      lone.advance(100 * MS)
      signer.give(lone)
    }
    const sent = lone.take()
    t.equal(sent.length, 4)
    const numbers = sent.map(({ authentication }) =>
      authentication !== undefined && 'sequenceNumber' in authentication ? authentication.sequenceNumber : NaN,
    )
    for (const [index, packet] of sent.entries()) {
      const { octets, at: _, ...fields } = packet
      t.equal(toHex(signer.sign(fields, numbers[index])), toHex(octets), 'signed as the other end does it')
      if (index === 0) continue
      t.equal(numbers[index], (numbers[index - 1]! + (meticulous ? 1 : 0)) >>> 0, 'the same contents again')
    }
    signer.give(lone, { ...PEER, poll: true })
    const [final] = lone.take()
    t.match(final, { final: true, authentication: { sequenceNumber: (numbers.at(-1)! + 1) >>> 0 } }, 'other contents')
  })

  t.test(`RFC 5880 section ${section}: ${type}, the key and the digest`, async t => {
    const signer = new Signer(type)
    const lone = signer.up()
    new Signer(type, 8).give(lone, { state: 'Down' }, 110)
    new Signer(type, 7, 'Secret').give(lone, { state: 'Down' }, 103)
    const octets = signer.sign({ state: 'Down' }, 103)
    octets[octets.length - 1]! ^= 1
    lone.perform(lone.session.receive(decodeControlPacket(octets), octets, lone.now))
    const changed = signer.sign({ ...PEER, detectMult: 3 }, 103)
    changed[2] = 200
    lone.perform(lone.session.receive(decodeControlPacket(changed), changed, lone.now))
    const other = KEYED.concat(METICULOUS as never).find(one => one !== type && one.endsWith(type.slice(-4)))
    if (other !== undefined) new Signer(other).give(lone, { state: 'Down' }, 103)
    t.same(lone.discards, [
      'authentication-key-id',
      'authentication-digest',
      'authentication-digest',
      'authentication-digest',
      'authentication-type',
    ])
    t.equal(lone.state, 'Up')
    t.equal(lone.snapshot.remoteDetectMult, 3)
    signer.give(lone, PEER, 103)
    t.equal(lone.discards.length, 5, 'what was refused has not moved the sequence')
  })

  t.test(`RFC 5880 section ${section}: ${type}, the window of sequence numbers`, async t => {
    const refused = (ahead: number, detectMult = 3): boolean => {
      const signer = new Signer(type)
      const lone = signer.up()
      signer.give(lone, { ...PEER, detectMult }, (signer.sequenceNumber + ahead) >>> 0)
      if (lone.discards.length > 0) t.same(lone.discards, ['authentication-sequence'])
      return lone.discards.length > 0
    }
    t.equal(refused(0), meticulous, 'the same number again')
    t.equal(refused(1), false)
    t.equal(refused(9), false, 'three times Detect Mult')
    t.equal(refused(10), true)
    t.equal(refused(3, 1), false)
    t.equal(refused(4, 1), true)
    t.equal(refused(-1), true)
    t.equal(refused(2 ** 31), true)
  })

  t.test(`RFC 5880 section ${section}: ${type}, numbers are circular`, async t => {
    const signer = new Signer(type)
    signer.sequenceNumber = 0xffff_fffd
    const lone = signer.up()
    signer.give(lone, PEER, 1)
    t.same(lone.discards, [])
    signer.give(lone, PEER, 0xffff_ffff)
    t.same(lone.discards, ['authentication-sequence'])
  })

  t.test(`RFC 5880 section 6.8.1: ${type}, AuthSeqKnown is cleared after twice the Detection Time`, async t => {
    for (const [after, discards] of [
      [599 * MS, ['authentication-sequence']],
      [600 * MS, []],
    ] as const) {
      const signer = new Signer(type)
      const lone = signer.up()
      t.equal(lone.snapshot.detectionTime, 300 * MS)
      lone.advance(after)
      t.equal(lone.state, 'Down')
      signer.give(lone, { ...PEER, state: 'Down', yourDiscriminator: 0 }, 5)
      t.same(lone.discards, discards)
    }
  })

  t.test(`RFC 5880 section 6.8.1: ${type}, a packet in between keeps AuthSeqKnown`, async t => {
    const signer = new Signer(type)
    const lone = signer.up()
    lone.advance(400 * MS)
    signer.give(lone, { ...PEER, state: 'Down' })
    lone.advance(400 * MS)
    signer.give(lone, { ...PEER, state: 'Down' }, 5)
    t.same(lone.discards, ['authentication-sequence'])
  })
}

t.test('RFC 5880 section 6.7.3: a packet with a bad digest does not set the first sequence number', async t => {
  const signer = new Signer('keyed-md5')
  const lone = new Lone({ ...OPTIONS, authentication: options('keyed-md5') })
  lone.advance(0)
  new Signer('keyed-md5', 7, 'guess').give(lone, { state: 'Init' }, 5_000_000)
  signer.give(lone, { ...PEER, state: 'Init' })
  t.same(lone.discards, ['authentication-digest'])
  t.equal(lone.state, 'Up')
})

t.test('another key: our sequence numbers go on, and those of the other end are still known', async t => {
  const signer = new Signer('meticulous-keyed-sha1')
  const lone = signer.up()
  lone.advance(100 * MS)
  const [before] = lone.take()
  lone.perform(lone.session.change({ ...OPTIONS, authentication: { ...options(signer.type), keyId: 9 } }, lone.now))
  lone.advance(100 * MS)
  const [after] = lone.take()
  const number = (packet: typeof before): number =>
    packet?.authentication !== undefined && 'sequenceNumber' in packet.authentication
      ? packet.authentication.sequenceNumber
      : NaN
  t.match(after, { authentication: { keyId: 9 }, poll: false })
  t.equal(number(after), (number(before) + 1) >>> 0)
  new Signer('meticulous-keyed-sha1', 9).give(lone, PEER, 3)
  new Signer('meticulous-keyed-sha1', 9).give(lone, PEER, 104)
  t.same(lone.discards, ['authentication-sequence'])
})

t.test('authentication that is taken away and comes again', async t => {
  const lone = new Lone(OPTIONS).up(INTERVALS)
  lone.perform(lone.session.change({ ...OPTIONS, authentication: options('keyed-sha1') }, lone.now))
  lone.advance(100 * MS)
  t.match(lone.take(), [{ authentication: { type: 'keyed-sha1' } }])
  lone.receive(PEER)
  t.same(lone.discards, ['authentication-missing'])
  lone.perform(lone.session.change(OPTIONS, lone.now))
  lone.advance(100 * MS)
  t.equal(lone.take()[0]?.authentication, undefined)
  lone.receive(PEER)
  t.equal(lone.discards.length, 1)
})

t.test('a digest is needed for the types that have one', async t => {
  const without = { digest: undefined as never }
  t.throws(() => new Lone({ authentication: options('keyed-md5') }, without), {
    name: 'TypeError',
    message: /^digest /,
  })
  const lone = new Lone({ authentication: options('simple-password') }, without)
  t.throws(() => lone.session.change({ authentication: options('keyed-sha1') }, 0), { name: 'TypeError' })
  lone.advance(S)
  t.match(lone.take(), [{ authentication: { type: 'simple-password' } }, {}], 'the old one stays')
})
