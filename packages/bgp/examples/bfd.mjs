#!/usr/bin/env node
// Watches addresses with BFD: prints one JSON line for each change of a state, and snapshots when asked.
import { Bfd, diagnosticName } from '@typemetal/bgp/bfd'
import { commandLine, number } from './command-line.mjs'

const USAGE = `node bfd.mjs --transmit 50 --receive 50 192.0.2.1 fe80::1%eth0

The other side must watch us, too: its BFD answers nobody that it does not know. Needs Linux and @typemetal/sockets; the port
is BFD's, so that bfdd or BIRD cannot run beside it. SIGUSR1 prints a snapshot of each session.

  --transmit MS     we send no more often (300)
  --receive MS      we want packets no more often (300)
  --multiplier N    packets that may be missing, less one, before the other side believes that we are gone (3)
  --echo MS         the Echo function, where the other side loops packets back; needs CAP_NET_RAW
  --passive         say nothing until the other side has been heard
  --multihop        routers may be in between (RFC 5883)
  --minimum-ttl N   of multihop: least TTL that packets may come with (254)
  --local A         our address
  --interface NAME  the only interface to use, of a single hop
  --device NAME     a VRF
  --auth T:ID:KEY   simple-password, keyed-md5, meticulous-keyed-md5, keyed-sha1 or meticulous-keyed-sha1; key ID; key
  --every S         a snapshot of each session every so many seconds`

const { values, positionals, signal } = commandLine(USAGE, {
  allowPositionals: true,
  options: {
    transmit: { type: 'string', default: '300' },
    receive: { type: 'string', default: '300' },
    multiplier: { type: 'string', default: '3' },
    echo: { type: 'string' },
    passive: { type: 'boolean', default: false },
    multihop: { type: 'boolean', default: false },
    'minimum-ttl': { type: 'string', default: '254' },
    local: { type: 'string' },
    interface: { type: 'string' },
    device: { type: 'string' },
    auth: { type: 'string' },
    every: { type: 'string' },
  },
})
const print = line => console.log(JSON.stringify({ time: new Date().toISOString(), ...line }))

function authentication(text) {
  const [, type, keyId, key] = /^([^:]+):(\d+):(.+)$/s.exec(text) ?? []
  if (key === undefined) throw new RangeError(`--auth must be TYPE:ID:KEY, not ${text}`)
  return { type, keyId: Number(keyId), key }
}

const common = {
  transmitInterval: number('transmit', values.transmit),
  receiveInterval: number('receive', values.receive),
  detectMultiplier: number('multiplier', values.multiplier),
  minimumTtl: number('minimum-ttl', values['minimum-ttl']),
  passiveMode: values.passive,
  multihop: values.multihop,
  localAddress: values.local,
  interface: values.interface,
  device: values.device,
  ...(values.echo && { echoMode: true, echoInterval: number('echo', values.echo) }),
  ...(values.auth && { authentication: authentication(values.auth) }),
}
const every = values.every && number('every', values.every)
if (every === 0) throw new RangeError('--every must be a second at least')
if (positionals.length === 0) throw new RangeError('whom to watch? give at least one address')

const say = (fields, message) => console.error(message, JSON.stringify(fields))
const log = { debug() {}, info: say, warn: say, error: say, child: () => log }

const bfd = await Bfd.start({ signal, log })
for (const address of positionals) {
  const session = bfd.session({ ...common, address })
  session.on('state', (to, from, { cause, diagnostic, remoteDiagnostic, remoteState }) =>
    print({
      address: session.address,
      to,
      from,
      cause,
      diagnostic: diagnosticName(diagnostic),
      remoteState,
      remoteDiagnostic: diagnosticName(remoteDiagnostic),
    }),
  )
}
const snapshots = () => bfd.sessions().forEach(snapshot => print({ snapshot }))
process.on('SIGUSR1', snapshots)
const timer = every && setInterval(snapshots, every * 1000)
signal.addEventListener('abort', () => clearInterval(timer))
print({ watching: bfd.sessions().map(({ address }) => address) })
