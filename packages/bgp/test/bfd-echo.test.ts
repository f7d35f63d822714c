import t from 'tap'
import { Bfd } from '@typemetal/bgp/bfd'
import { follow, Peer, reaches } from './bfd-node-peer.js'
import { createHost, isInside, missingPrivilege, run, until } from './interop/namespace.js'

/** Packets that are to be missing one after the other: 2 s of echo packets, which no pause of a busy machine comes near, and 40 s of others. */
const DETECT_MULT = 40
const TIMES = { transmitInterval: 300, receiveInterval: 300, detectMultiplier: DETECT_MULT }
const ECHO = { ...TIMES, echoMode: true, echoInterval: 50 }

function define(): void {
  for (const { name, forwarding } of [
    { name: 'the remote kernel forwards them back', forwarding: '1' },
    { name: 'the remote worker loops them', forwarding: '0' },
  ]) {
    t.test(`RFC 5881 section 4: echo packets on real sockets, IPv4 and IPv6: ${name}`, async t => {
      const index = forwarding === '1' ? 1 : 2
      const ours = [`10.5.${index}.1`, `fd05:${index}::1`] as const
      const theirs = [`10.5.${index}.2`, `fd05:${index}::2`] as const
      await using host = await createHost([`${ours[0]}/24`, `${ours[1]}/64`], [`${theirs[0]}/24`, `${theirs[1]}/64`])
      host.exec('sysctl', '-qw', `net.ipv4.conf.eth0.forwarding=${forwarding}`)
      host.exec('sysctl', '-qw', `net.ipv6.conf.all.forwarding=${forwarding}`)
      await using peer = await Peer.start(
        host,
        ours.map(address => ({ address, ...ECHO })),
      )
      await using bfd = await Bfd.start()
      const sessions = theirs.map(address => bfd.session({ address, ...ECHO }))
      await Promise.all(sessions.map(session => reaches(session, 'Up')))
      const histories = sessions.map(session => follow(session))
      const diagnostics: number[] = []
      for (const session of sessions)
        session.once('state', (_to, _from, details) => diagnostics.push(details.diagnostic))
      await until('echo packets', () => sessions.every(session => session.snapshot().echoPacketsReceived > 20))
      t.ok(sessions.every(session => session.snapshot().echoActive))
      t.same(histories, [[], []])
      for (const { echoPacketsLooped } of await peer.sessions()) t.equal(echoPacketsLooped > 15, forwarding === '0')
      host.exec(
        'nft',
        'add table inet t; add chain inet t c { type filter hook prerouting priority 0; }; add rule inet t c udp dport 3785 drop',
      )
      if (forwarding === '0') {
        const received = sessions.map(session => session.snapshot().echoPacketsReceived)
        await until('more than could be missing', () =>
          sessions.every((session, at) => session.snapshot().echoPacketsReceived > received[at]! + 2 * DETECT_MULT),
        )
        t.same(histories, [[], []], 'a packet socket comes before the firewall')
        return
      }
      await until('both to be Down', () => histories.every(states => states[0] === 'Down'))
      // Echo Function Failed, unless the remote system has found that first.
      t.ok(
        diagnostics.every(diagnostic => diagnostic === 2 || diagnostic === 3),
        String(diagnostics),
      )
    })
  }
}

t.setTimeout(900_000)
const missing = missingPrivilege()
if (missing) t.test('echo packets between namespaces', { skip: missing }, async () => {})
else if (isInside()) {
  run('sysctl', '-qw', 'net.ipv4.conf.all.accept_redirects=0')
  define()
}
