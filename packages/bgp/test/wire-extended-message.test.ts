import t from 'tap'
import {
  createNotification,
  decodeHeader,
  decodeMessage,
  encodeMessage,
  Framer,
  MAX_EXTENDED_LENGTH,
  messageLimit,
  updateRoom,
  WireError,
  type MessageContext,
  type UpdateMessage,
} from '@typemetal/bgp/wire'
import { errorOf, EXTERNAL, GOOD, hex, message, toHex, update } from './octets.js'

const EXTENDED: MessageContext = { ...EXTERNAL, extendedMessage: true }
/** An unknown attribute that makes the UPDATE as long as wanted. */
const filled = (length: number): UpdateMessage => ({
  type: 'update',
  withdrawnRoutes: [],
  pathAttributes: { unknown: [{ code: 200, flags: 0xc0, value: new Uint8Array(length - 27).fill(7) }] },
  nlri: [],
})

t.test(
  'RFC 8654 4: UPDATE, NOTIFICATION and ROUTE-REFRESH have up to 65,535 octets where that was negotiated',
  async t => {
    t.equal(messageLimit(EXTERNAL), 4096)
    t.equal(messageLimit(EXTENDED), MAX_EXTENDED_LENGTH)
    t.equal(updateRoom(EXTENDED) - updateRoom(EXTERNAL), 65_535 - 4096)
    for (const m of [
      filled(65_535),
      { type: 'notification', errorCode: 6, errorSubcode: 2, data: new Uint8Array(65_514) },
      { type: 'route-refresh', afi: 1, subtype: 0, safi: 1, orf: new Uint8Array(65_512) },
    ] as const) {
      const octets = encodeMessage(m, EXTENDED)
      t.equal(octets.length, 65_535)
      t.same(decodeMessage(octets, EXTENDED), m)
      t.throws(() => encodeMessage(m, EXTERNAL), RangeError)
    }
    t.throws(() => encodeMessage(filled(65_536), EXTENDED), RangeError)
  },
)

t.test('RFC 8654 5: 4,097 octets are too many where it was not negotiated', async t => {
  const octets = encodeMessage(filled(4097), EXTENDED)
  t.match(errorOf(octets, EXTERNAL), { notification: [1, 2], disposition: 'session-reset' })
  t.equal(toHex(errorOf(octets, EXTERNAL)?.data ?? new Uint8Array()), '1001')
})

t.test('RFC 8654 4: OPEN and KEEPALIVE keep to 4,096 octets', async t => {
  const open = message(1, `04fde8005a0a000001ff ff0ff1 ${'00'.repeat(4097 - 19 - 13)}`)
  t.equal(open.length, 4097)
  t.match(errorOf(open, EXTENDED), { notification: [1, 2] })
  const value = new Uint8Array(250)
  const capabilities = Array.from({ length: 17 }, () => ({ type: 'unknown', code: 200, value }) as const)
  const fields = { type: 'open', version: 4, asn: 1, holdTime: 90, bgpIdentifier: 1 } as const
  t.throws(() => encodeMessage({ ...fields, capabilities }, EXTENDED), RangeError)
  t.match(errorOf(message(4, '00'.repeat(5000)), EXTENDED), { notification: [1, 2] })
})

t.test('RFC 8654: Framer reads a long message from many small chunks, each octet copied once at most', async t => {
  const long = encodeMessage(filled(65_535), EXTENDED)
  const keepalive = encodeMessage({ type: 'keepalive' })
  const stream = Buffer.concat([long, keepalive, long])
  for (const size of [1, 18, 19, 20, 1448, 65_536]) {
    const framer = new Framer()
    const found: Uint8Array[] = []
    for (let at = 0; at < stream.length; at += size) {
      framer.push(stream.subarray(at, at + size))
      for (let m = framer.next(65_535); m; m = framer.next(65_535)) found.push(m)
    }
    t.same(found.map(toHex), [long, keepalive, long].map(toHex), `chunks of ${size}`)
  }
})

t.test('RFC 8654: Framer takes the limit that holds when the header is read', async t => {
  const framer = new Framer()
  framer.push(encodeMessage(filled(4097), EXTENDED))
  t.throws(() => framer.next(), { code: 'ERR_BGP_WIRE', message: 'message length 4097 (octet 16)' })
  t.throws(() => decodeHeader(new Uint8Array(18)), RangeError)
})

t.test('RFC 4271 6: the data of a NOTIFICATION are cut to what every peer takes', async t => {
  const error = new WireError('too long', 19, [3, 9], 'session-reset', new Uint8Array(60_000))
  const notification = createNotification(error)
  t.match(notification, { errorCode: 3, errorSubcode: 9 })
  t.equal(encodeMessage(notification).length, 4096)
  const small = createNotification(errorOf(update(`${GOOD}40c80100`))!)
  t.same(small, { type: 'notification', errorCode: 3, errorSubcode: 2, data: hex('40c80100') })
})
