import t from 'tap'
import {
  CeaseSubcode,
  createCease,
  createHardReset,
  decodeMessage,
  encodeMessage,
  ErrorCode,
  hardResetCause,
  notificationName,
  OpenMessageSubcode,
  RouteRefreshSubtype,
  shutdownCommunication,
  type NotificationMessage,
} from '@typemetal/bgp/wire'
import { errorOf, hex, message, toHex } from './octets.js'

const notification = (errorCode: number, errorSubcode: number, data = ''): NotificationMessage => {
  return { type: 'notification', errorCode, errorSubcode, data: hex(data) }
}

t.test('RFC 8203, RFC 9003 2: shutdown communication', async t => {
  t.equal(shutdownCommunication(createCease(2, 'maintenance till 12:00')), 'maintenance till 12:00')
  t.equal(shutdownCommunication(createCease(4, 'ä'.repeat(200)))?.length, 127, 'cut between characters')
  t.equal(createCease(2, 'x'.repeat(300)).data.length, 256)
  t.equal(shutdownCommunication(createCease(2)), undefined)
  t.equal(createCease(3, 'no text with this one').data.length, 0)
  t.equal(shutdownCommunication(notification(6, 2, '05 61')), undefined, 'length beyond the data')
  t.equal(shutdownCommunication(notification(6, 2, '01 ff')), undefined, 'not UTF-8')
  t.equal(shutdownCommunication({ ...createCease(2, 'x'), errorCode: 4 }), undefined)
  t.equal(shutdownCommunication(notification(6, 3, '01 61')), undefined, 'not with this subcode')
})

t.test('RFC 8538 3.1: a Hard Reset wraps the NOTIFICATION that it stands for', async t => {
  const cause = createCease(CeaseSubcode.AdministrativeReset, 'new software')
  const hard = createHardReset(cause)
  t.match(hard, { errorCode: ErrorCode.Cease, errorSubcode: CeaseSubcode.HardReset })
  t.same(hardResetCause(decodeMessage(encodeMessage(hard)) as NotificationMessage), cause)
  t.equal(shutdownCommunication(hard), 'new software')
  t.equal(hardResetCause(cause), undefined)
  t.equal(hardResetCause(notification(6, 9, '06')), undefined, 'cut off')
  t.equal(hardResetCause(notification(6, 9)), undefined)
  t.same(hardResetCause(notification(6, 9, '0400')), notification(4, 0))
})

for (const { ref, of, name } of [
  { ref: 'RFC 4271 4.5', of: [1, 2], name: 'Message Header Error: Bad Message Length' },
  { ref: 'RFC 5492 5', of: [2, 7], name: 'OPEN Message Error: Unsupported Capability' },
  { ref: 'RFC 9234 4.2', of: [2, OpenMessageSubcode.RoleMismatch], name: 'OPEN Message Error: Role Mismatch' },
  { ref: 'RFC 4271 4.5', of: [3, 11], name: 'UPDATE Message Error: Malformed AS_PATH' },
  { ref: 'RFC 4271 4.5', of: [4, 0], name: 'Hold Timer Expired' },
  {
    ref: 'RFC 6608 3',
    of: [5, 2],
    name: 'Finite State Machine Error: Receive Unexpected Message in OpenConfirm State',
  },
  { ref: 'RFC 4486 3', of: [6, 1], name: 'Cease: Maximum Number of Prefixes Reached' },
  { ref: 'RFC 4486 3', of: [6, 8], name: 'Cease: Out of Resources' },
  { ref: 'RFC 8538 3', of: [6, 9], name: 'Cease: Hard Reset' },
  { ref: 'RFC 9384 3', of: [6, CeaseSubcode.BfdDown], name: 'Cease: BFD Down' },
  { ref: 'RFC 7313 5', of: [7, 1], name: 'ROUTE-REFRESH Message Error: Invalid Message Length' },
  { ref: 'RFC 9687 3', of: [8, 0], name: 'Send Hold Timer Expired' },
  { ref: 'RFC 4271 4.5', of: [6, 77], name: 'Cease: subcode 77' },
  { ref: 'RFC 4271 4.5', of: [2, 8], name: 'OPEN Message Error: subcode 8' },
  { ref: 'RFC 4271 4.5', of: [99, 1], name: 'Error 99/1' },
] as const) {
  t.test(`${ref}: ${of.join('/')} is ${name}`, async t => {
    t.equal(notificationName(notification(of[0], of[1])), name)
  })
}

t.test('RFC 8538 3.1: the name of a Hard Reset tells its cause', async t => {
  t.equal(notificationName(createHardReset(createCease(2))), 'Cease: Hard Reset (Cease: Administrative Shutdown)')
})

t.test('RFC 7313 5: BoRR and EoRR with anything behind are answered by 7/1 with the message', async t => {
  for (const subtype of [RouteRefreshSubtype.Beginning, RouteRefreshSubtype.End]) {
    const octets = message(5, `0001 0${subtype} 01 00`)
    const error = errorOf(octets)
    t.match(error, { notification: [7, 1], disposition: 'session-reset', offset: 23 })
    t.equal(toHex(error?.data ?? new Uint8Array()), toHex(octets))
    t.match(decodeMessage(message(5, `0001 0${subtype} 01`)), { subtype })
  }
})

t.test('RFC 7313 5, RFC 5291 4: other subtypes and what follows a request are carried', async t => {
  t.same(decodeMessage(message(5, '0002 07 01')), { type: 'route-refresh', afi: 2, subtype: 7, safi: 1 })
  const octets = message(5, '0001 00 01 0240 0000')
  const filtered = decodeMessage(octets)
  t.match(filtered, { type: 'route-refresh', subtype: 0, orf: hex('02400000') })
  t.equal(toHex(encodeMessage(filtered)), toHex(octets))
})
