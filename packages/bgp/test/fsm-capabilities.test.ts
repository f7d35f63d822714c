import assert from 'node:assert/strict'
import t from 'tap'
import {
  createHardReset,
  createOpen,
  describeEvent,
  errorEvent,
  hardResetReason,
  isHardReset,
  Session,
  type SessionAction,
  type SessionEnd,
  type SessionEvent,
  type SessionOptions,
} from '@typemetal/bgp/fsm'
import {
  createCease,
  decodeMessage,
  encodeMessage,
  WireError,
  type NotificationMessage,
  type OpenMessage,
} from '@typemetal/bgp/wire'
import { EVENTS, OPTIONS, PEER_OPEN, sessionIn, shortAction } from './sessions.js'

const GRACEFUL: Partial<SessionOptions> = { gracefulRestart: {} }
const GRACEFUL_OPEN = createOpen({
  asn: 64_513,
  bgpIdentifier: 2,
  holdTime: 180,
  families: ['ipv4-unicast'],
  gracefulRestart: {},
})

/** An Established session, with graceful restart of both where `options` say so. */
function established(options: Partial<SessionOptions>, open: OpenMessage): Session {
  const session = sessionIn('OpenSent', options)
  session.handle({ type: 'BGPOpen', open }, 0)
  session.handle(EVENTS.KeepAliveMsg, 0)
  assert.equal(session.state, 'Established')
  return session
}

const openError = (errorSubcode: number): NotificationMessage => ({
  type: 'notification',
  errorCode: 2,
  errorSubcode,
  data: new Uint8Array(),
})
const notified = (notification: NotificationMessage): SessionEvent => ({ type: 'NotifMsg', notification })
const sentOpen = (actions: readonly SessionAction[]): OpenMessage => {
  const action = actions.find(({ type }) => type === 'send')
  if (action?.type !== 'send' || action.message.type !== 'open') throw new Error('no OPEN')
  return action.message
}
const types = (open: OpenMessage): string[] => [...new Set(open.capabilities.map(({ type }) => type))]

/** Lets the session start again and connect. @returns the OPEN it sends */
function again(session: Session): OpenMessage {
  session.handleTimeout(session.nextTimeout!)
  assert.equal(session.state, 'Connect')
  return sentOpen(session.handle(EVENTS.Tcp_CR_Acked, 0))
}

t.test('RFC 5492 section 3: a peer that knows no optional parameters is tried once without capabilities', async t => {
  const session = sessionIn('OpenSent')
  const actions = session.handle(notified(openError(4)), 0)
  t.match(actions.at(-1), { to: 'Idle', cause: 'NotifMsg 2/4: next OPEN without capabilities' })
  t.equal(session.nextTimeout, 1000, 'soon')
  session.handleTimeout(1000)
  session.handle(EVENTS.TcpConnectionFails, 1000)
  t.same(again(session).capabilities, [], 'an attempt that does not get as far as an OPEN is none')
  const bare = { ...PEER_OPEN, capabilities: [] }
  session.handle({ type: 'BGPOpen', open: bare }, 0)
  t.match(session.negotiated, { families: ['ipv4-unicast'], fourOctetAs: false, extendedMessage: false })
  session.handle(EVENTS.KeepAliveMsg, 0)
  session.handle(EVENTS.TcpConnectionFails, 0)
  t.ok(again(session).capabilities.length > 0, 'the next session begins with all of them')
})

t.test('RFC 5492 section 3: a peer that refuses a capability is tried once with what we cannot do without', async t => {
  const session = sessionIn('OpenSent', { role: 'peer' })
  session.handle(notified(openError(7)), 0)
  t.same(types(again(session)), ['multiprotocol', 'four-octet-as'])
  t.match(session.handle(notified(openError(7)), 0).at(-1), { cause: 'NotifMsg 2/7' }, 'once')
  t.ok(types(again(session)).includes('role'))
})

t.test('RFC 5492 section 3: what no fewer capabilities can mend', async t => {
  const other = sessionIn('OpenSent')
  other.handle(notified(openError(2)), 0)
  t.ok(again(other).capabilities.length > 0, 'Bad Peer AS')
  const v6 = sessionIn('OpenSent', { families: ['ipv6-unicast'] })
  v6.handle(notified(openError(4)), 0)
  t.ok(again(v6).capabilities.length > 0, 'without capabilities there is no IPv6')
  const late = sessionIn('OpenSent', { delayOpenTime: 5 })
  late.handleTimeout(5000)
  late.handle(notified(openError(4)), 0)
  late.handleTimeout(late.nextTimeout!)
  late.handle(EVENTS.Tcp_CR_Acked, 0)
  t.same(sentOpen(late.handle(EVENTS.BGPOpen, 0)).capabilities, [], 'with DelayOpen the same')
})

t.test('RFC 8538 section 3.1: a hard reset has its reason in it', async t => {
  const reason = createCease(2, 'bye')
  const hard = createHardReset(reason)
  t.same([hard.errorCode, hard.errorSubcode], [6, 9])
  t.same(hardResetReason(hard), reason)
  t.equal(createHardReset(hard), hard, 'one is enough')
  t.equal(isHardReset(reason), false)
  t.equal(hardResetReason(reason), undefined)
  t.equal(hardResetReason({ ...hard, data: Uint8Array.of(6) }), undefined, 'cut off')
  t.equal(describeEvent(notified(hard)), 'NotifMsg 6/9 (6/2)')
})

t.test('RFC 8538 section 5.1: which Ceases are hard resets', async t => {
  const sent = (options: Partial<SessionOptions>, subcode: number, open = GRACEFUL_OPEN): string | undefined => {
    const session = established(options, open)
    return shortAction(session.handle({ type: 'AutomaticStop', cease: createCease(subcode) }, 0)[0]!)
  }
  const all = [1, 2, 3, 4, 5, 6, 7, 8, 9]
  t.same(
    all.map(subcode => sent(GRACEFUL, subcode)),
    ['6/9', '6/9', '6/9', '6/4', '6/5', '6/6', '6/7', '6/8', '6/9'],
  )
  t.equal(sent({ gracefulRestart: { notification: false } }, 2), '6/2', 'we did not set the N bit')
  t.equal(sent(GRACEFUL, 2, PEER_OPEN), '6/2', 'the peer has no graceful restart')
  t.equal(sent({ gracefulRestart: { families: [] } }, 2), '6/2', 'the peer keeps nothing of ours anyway')
  const stopped = established(GRACEFUL, GRACEFUL_OPEN).handle({ type: 'ManualStop', cease: createCease(3) }, 0)
  t.match(stopped[0], { message: { errorSubcode: 9, data: Uint8Array.of(6, 3) } })
})

t.test('RFC 4724 section 4, RFC 8538 section 4: how a session ended', async t => {
  const ends: [SessionEvent, SessionEnd][] = [
    [EVENTS.TcpConnectionFails, 'tcp'],
    [EVENTS.HoldTimer_Expires, 'hold-timer'],
    [EVENTS.SendHoldTimer_Expires, 'hold-timer'],
    [notified(createCease(4)), 'notification'],
    [notified(createHardReset(createCease(4))), 'hard-reset'],
    [EVENTS.NotifMsgVerErr, 'notification'],
    [EVENTS.UpdateMsgErr, 'notification'],
    [EVENTS.BGPHeaderErr, 'notification'],
    [EVENTS.ManualStop, 'local-stop'],
    [{ type: 'AutomaticStop', cease: createCease(1) }, 'hard-reset'],
    [{ type: 'AutomaticStop', cease: createCease(8) }, 'notification'],
    [EVENTS.AutomaticStop, 'hard-reset'],
    [EVENTS.OpenCollisionDump, 'notification'],
  ]
  for (const [event, ended] of ends) {
    t.match(sessionIn('Established').handle(event, 0).at(-1), { from: 'Established', to: 'Idle', ended }, event.type)
  }
  t.notOk('ended' in sessionIn('OpenConfirm').handle(EVENTS.TcpConnectionFails, 0).at(-1)!)
})

t.test('RFC 4724 section 4: F bits from the second session on', async t => {
  const session = sessionIn('Connect', GRACEFUL)
  const flags = (open: OpenMessage): unknown => {
    const capability = open.capabilities.find(({ type }) => type === 'graceful-restart')
    if (capability?.type !== 'graceful-restart') throw new Error('no graceful restart')
    return capability.families.map(({ forwardingPreserved }) => forwardingPreserved)
  }
  t.same(flags(sentOpen(session.handle(EVENTS.Tcp_CR_Acked, 0))), [false, false], 'nothing to preserve yet')
  session.handle({ type: 'BGPOpen', open: GRACEFUL_OPEN }, 0)
  session.handle(EVENTS.KeepAliveMsg, 0)
  session.handle(EVENTS.TcpConnectionFails, 0)
  t.same(flags(again(session)), [true, true], 'only TCP has gone')
})

t.test('RFC 9234 section 4.2: Role Mismatch on the session', async t => {
  const session = new Session({ ...OPTIONS, role: 'customer', strictRole: true })
  session.handle(EVENTS.ManualStart, 0)
  session.handle(EVENTS.Tcp_CR_Acked, 0)
  const actions = session.handle(EVENTS.BGPOpen, 0)
  t.same(actions.map(shortAction), ['2/11', 'close', undefined])
  t.match(actions.at(-1), { cause: /BGPOpenMsgErr: no BGP Role/ })
})

t.test('RFC 4271 section 6: the data of an error goes into the NOTIFICATION', async t => {
  const error = new WireError('length', 16, [1, 2], 'session-reset', Uint8Array.of(0, 18))
  const [action] = sessionIn('Established').handle({ type: 'BGPHeaderErr', error }, 0)
  t.match(action, { message: { errorCode: 1, errorSubcode: 2, data: Uint8Array.of(0, 18) } })
})

t.test('RFC 4271 section 4.1, RFC 7313 section 5: data that no NOTIFICATION has room for are cut', async t => {
  const refresh = new Uint8Array(4096).fill(0xff, 0, 16)
  refresh.set([0x10, 0x00, 5, 0, 1, 1, 1], 16)
  const error = t.throws(() => decodeMessage(refresh)) as WireError
  t.same(error.notification, [7, 1])
  const [action] = sessionIn('Established').handle(errorEvent(error), 0)
  if (action?.type !== 'send') throw new Error('nothing sent')
  const octets = encodeMessage(action.message)
  t.equal(octets.length, 4096)
  t.same(octets.subarray(21), refresh.subarray(0, 4096 - 21))
  const value = new WireError('value', 23, [3, 9], 'session-reset', new Uint8Array(60_000))
  const [update] = sessionIn('Established').handle({ type: 'UpdateMsgErr', error: value }, 0)
  t.match(update, { message: { data: { length: 4075 } } })
  const delayed = sessionIn('Active', { delayOpenTime: 5 })
  delayed.handle(EVENTS.TcpConnectionConfirmed, 0)
  t.match(delayed.handle({ type: 'BGPHeaderErr', error: value }, 0)[0], { message: { data: { length: 4075 } } })
})
