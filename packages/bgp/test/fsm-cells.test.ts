/** RFC 4271 section 8.2.2 cell by cell, to be read side by side with it. */
import t from 'tap'
import { describeEvent, STATES, type Session, type SessionEventType, type State } from '@typemetal/bgp/fsm'
import { EVENTS, outcome, sessionIn } from './sessions.js'

/**
 * Every event in every state, in the order of RFC 4271 section 8.1. A cell has the new state, or `=` where it stays, and what is
 * done: `dial`; `open`, `keepalive` or the code/subcode of the NOTIFICATION sent; `close` the TCP connection; `update`, `refresh`:
 * hand the message on; `+`: add 1 to the ConnectRetryCounter. A new state but Idle ends in the timer that is due next, in seconds:
 * 120 ConnectRetryTimer, 240 the HoldTimer for the OPEN, 30 KeepaliveTimer. 5/0 is for events that are no messages (RFC 6608).
 */
const TABLE = `
 n  event                                                                | Idle             | Connect             | Active              | OpenSent                | OpenConfirm      | Established
 1  ManualStart                                                          | Connect dial 120 | =                   | =                   | =                       | =                | =
 2  ManualStop                                                           | =                | Idle close          | Idle close          | Idle 6/2 close          | Idle 6/2 close   | Idle 6/2 close
 3  AutomaticStart                                                       | Connect dial 120 | =                   | =                   | =                       | =                | =
 4  ManualStart_with_PassiveTcpEstablishment                             | Active 120       | =                   | =                   | =                       | =                | =
 5  AutomaticStart_with_PassiveTcpEstablishment                          | Active 120       | =                   | =                   | =                       | =                | =
 6  AutomaticStart_with_DampPeerOscillations                             | Connect dial 120 | =                   | =                   | =                       | =                | =
 7  AutomaticStart_with_DampPeerOscillations_and_PassiveTcpEstablishment | Active 120       | =                   | =                   | =                       | =                | =
 8  AutomaticStop                                                        | =                | Idle close +        | Idle close +        | Idle 6/2 close +        | Idle 6/2 close + | Idle 6/2 close +
 9  ConnectRetryTimer_Expires                                            | =                | = dial              | Connect dial 120    | Idle 5/0 close +        | Idle 5/0 close + | Idle 5/0 close +
 10 HoldTimer_Expires                                                    | =                | Idle close +        | Idle close +        | Idle 4/0 close +        | Idle 4/0 close + | Idle 4/0 close +
 11 KeepaliveTimer_Expires                                               | =                | Idle close +        | Idle close +        | Idle 5/0 close +        | = keepalive      | = keepalive
 12 DelayOpenTimer_Expires                                               | =                | OpenSent open 240   | OpenSent open 240   | Idle 5/0 close +        | Idle 5/0 close + | Idle 5/0 close +
 13 IdleHoldTimer_Expires                                                | Connect dial 120 | Idle close +        | Idle close +        | Idle 5/0 close +        | Idle 5/0 close + | Idle 5/0 close +
 14 TcpConnection_Valid                                                  | =                | =                   | =                   | =                       | =                | =
 15 Tcp_CR_Invalid                                                       | =                | =                   | =                   | =                       | =                | =
 16 Tcp_CR_Acked                                                         | =                | OpenSent open 240   | OpenSent open 240   | =                       | =                | =
 17 TcpConnectionConfirmed                                               | =                | OpenSent open 240   | OpenSent open 240   | =                       | =                | =
 18 TcpConnectionFails                                                   | =                | Idle close          | Idle close +        | Active close 1          | Idle close +     | Idle close +
 19 BGPOpen                                                              | =                | Idle close +        | Idle close +        | OpenConfirm keepalive 30 | Idle 5/2 close + | Idle 5/3 close +
 20 BGPOpen_with_DelayOpenTimer_running                                  | =                | OpenConfirm open keepalive 30 | OpenConfirm open keepalive 30 | Idle 5/1 close + | Idle 5/2 close + | Idle 5/3 close +
 21 BGPHeaderErr                                                         | =                | Idle close +        | Idle close +        | Idle 1/1 close +        | Idle 1/1 close + | Idle 1/1 close +
 22 BGPOpenMsgErr                                                        | =                | Idle close +        | Idle close +        | Idle 2/6 close +        | Idle 2/6 close + | Idle 5/3 close +
 23 OpenCollisionDump                                                    | =                | Idle close +        | Idle close +        | Idle 6/7 close +        | Idle 6/7 close + | Idle 6/7 close +
 24 NotifMsgVerErr                                                       | =                | Idle close +        | Idle close +        | Idle close              | Idle close       | Idle close +
 25 NotifMsg                                                             | =                | Idle close +        | Idle close +        | Idle close +            | Idle close +     | Idle close +
 26 KeepAliveMsg                                                         | =                | Idle close +        | Idle close +        | Idle 5/1 close +        | Established 30   | =
 27 UpdateMsg                                                            | =                | Idle close +        | Idle close +        | Idle 5/1 close +        | Idle 5/2 close + | = update
 28 UpdateMsgErr                                                         | =                | Idle close +        | Idle close +        | Idle 5/1 close +        | Idle 5/2 close + | Idle 3/10 close +
 29 SendHoldTimer_Expires                                                | =                | Idle close +        | Idle close +        | Idle 5/0 close +        | Idle 5/0 close + | Idle 8/0 close +
 30 BfdAdminDown                                                         | =                | =                   | =                   | =                       | =                | =
 31 BfdDown                                                              | =                | =                   | =                   | Idle 6/10 close         | Idle 6/10 close  | Idle 6/10 close +
 32 BfdUp                                                                | =                | =                   | =                   | =                       | =                | =
 33 BfdDisabled                                                          | =                | =                   | =                   | =                       | =                | =
 34 BfdHoldTimer_Expires                                                 | =                | Idle close +        | Idle close +        | Idle 6/10 close +       | Idle 5/0 close + | Idle 5/0 close +
 -- RouteRefreshMsg                                                      | =                | Idle close +        | Idle close +        | Idle 5/1 close +        | Idle 5/2 close + | = refresh
 -- TcpSendProgress                                                      | =                | =                   | =                   | =                       | =                | =
`

/** The events for which a TCP connection that waits for DelayOpenTimer makes a difference in Connect and Active. */
const DELAY_OPEN_TABLE = `
 n  event                               | Connect                       | Active
 2  ManualStop                          | Idle close                    | Idle 6/2 close
 8  AutomaticStop                       | Idle close +                  | Idle close +
 9  ConnectRetryTimer_Expires           | = dial                        | Connect dial 120
 12 DelayOpenTimer_Expires              | OpenSent open 240             | OpenSent open 240
 18 TcpConnectionFails                  | Active close 120              | Idle close +
 19 BGPOpen                             | OpenConfirm open keepalive 30 | OpenConfirm open keepalive 30
 20 BGPOpen_with_DelayOpenTimer_running | OpenConfirm open keepalive 30 | OpenConfirm open keepalive 30
 21 BGPHeaderErr                        | Idle 1/1 close +              | Idle 1/1 close +
 22 BGPOpenMsgErr                       | Idle 2/6 close +              | Idle 2/6 close +
 23 OpenCollisionDump                   | Idle close +                  | Idle close +
 24 NotifMsgVerErr                      | Idle close                    | Idle close
 25 NotifMsg                            | Idle close +                  | Idle close +
 26 KeepAliveMsg                        | Idle close +                  | Idle close +
 27 UpdateMsg                           | Idle close +                  | Idle close +
`

interface Cell {
  readonly number: string
  readonly type: SessionEventType
  readonly state: State
  readonly expected: string
}

function cellsOf(table: string): Cell[] {
  const [head = [], ...rows] = table
    .trim()
    .split('\n')
    .map(line => line.split('|').map(cell => cell.trim()))
  const states = head.slice(1) as State[]
  return rows.flatMap(([name = '', ...cells]) => {
    const [number = '', type = ''] = name.split(/ +/)
    return cells.map((expected, i) => ({ number, type: type as SessionEventType, state: states[i]!, expected }))
  })
}

/** The outcome with the timer that is due next, where the state is a new one other than Idle. */
function withTimer(session: Session, before: State, text: string): string {
  if (session.state === before || session.state === 'Idle') return text
  return `${text} ${(session.nextTimeout ?? Number.NaN) / 1000}`
}

function check(cell: Cell, prepare: (state: State) => Session, title: string): void {
  const { number, type, state, expected } = cell
  t.test(`RFC 4271 8.2.2: ${title}${state}, event ${number} ${type}: ${expected}`, async t => {
    const session = prepare(state)
    const event = EVENTS[type]
    const actions = session.handle(event, 0)
    t.equal(withTimer(session, state, outcome(session, state, 0, actions)), expected)
    if (session.state === state) return
    t.match(actions.at(-1), { type: 'transition', from: state, to: session.state, cause: describeEvent(event) })
    t.equal('ended' in actions.at(-1)!, state === 'Established', 'tells how a session ended')
    if (session.state !== 'Idle') return
    t.equal(session.nextTimeout, type === 'ManualStop' ? undefined : 1000, 'IdleHoldTimer runs unless it was stopped')
    t.equal(session.negotiated, undefined)
    t.equal(session.initiator, undefined)
  })
}

const cells = cellsOf(TABLE)
t.equal(cells.length, Object.keys(EVENTS).length * STATES.length, 'every event in every state')
t.equal(new Set(cells.map(({ type, state }) => `${type} ${state}`)).size, cells.length)
for (const cell of cells) check(cell, sessionIn, '')

function waiting(state: State): Session {
  const session = sessionIn(state, { delayOpenTime: 5 })
  session.handle(state === 'Connect' ? EVENTS.Tcp_CR_Acked : EVENTS.TcpConnectionConfirmed, 0)
  return session
}
for (const cell of cellsOf(DELAY_OPEN_TABLE)) check(cell, waiting, 'DelayOpenTimer running, ')

/** Message types of RFC 4271 section 4.1 and RFC 2918 section 3. */
const MESSAGES: readonly [SessionEventType, number][] = [
  ['BGPOpen', 1],
  ['BGPOpenMsgErr', 1],
  ['UpdateMsg', 2],
  ['UpdateMsgErr', 2],
  ['KeepAliveMsg', 4],
  ['RouteRefreshMsg', 5],
]
for (const [i, state] of (['OpenSent', 'OpenConfirm', 'Established'] as const).entries()) {
  t.test(`RFC 6608 section 4: an unexpected message in ${state}, and its type as data`, async t => {
    for (const [type, messageType] of MESSAGES) {
      const [action] = sessionIn(state).handle(EVENTS[type], 0)
      const message = action?.type === 'send' && action.message.type === 'notification' ? action.message : undefined
      if (message?.errorCode !== 5) continue
      t.equal(message.errorSubcode, i + 1)
      t.same([...message.data], [messageType], type)
    }
    const [action] = sessionIn(state).handle(EVENTS.DelayOpenTimer_Expires, 0)
    t.match(action, { message: { errorCode: 5, errorSubcode: 0, data: new Uint8Array() } }, 'no message')
  })
}
