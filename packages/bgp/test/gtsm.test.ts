/** GTSM (RFC 5082) with routers that insist on it: each drops whatever does not come with TTL 255, our SYN-ACK included. */
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { dialTcp } from '../dist/node/dial.js'
import { Listener } from '../dist/node/listener.js'
import { createHost, isInside, missingPrivilege, until, type Host } from './interop/namespace.js'

const OURS = '10.1.0.1'
const THEIRS = '10.1.0.2'
const LIMITS = { ttl: 255, minTtl: 255 }

/** A router with one neighbour, us, at most one hop away. */
interface RouterKind {
  readonly name: string
  readonly path: string
  readonly install: string
  config(passive: boolean): string
  start(host: Host, directory: string): void
}

const KINDS: readonly RouterKind[] = [
  {
    name: 'FRR, ttl-security hops 1',
    path: '/usr/lib/frr/bgpd',
    install: 'frr',
    config: passive => `
router bgp 64513
 bgp router-id ${THEIRS}
 no bgp ebgp-requires-policy
 neighbor ${OURS} remote-as 64512
 neighbor ${OURS} ttl-security hops 1
 neighbor ${OURS} timers connect 1
 ${passive ? '' : 'no '}neighbor ${OURS} passive
`,
    start(host, d) {
      const files = ['-f', join(d, 'conf'), '-i', join(d, 'pid'), '--vty_socket', d, '-z', join(d, 'zserv')]
      host.spawn(this.path, ['-S', '-Z', '-n', '-P', '0', ...files])
    },
  },
  {
    name: 'BIRD, ttl security on',
    path: '/usr/sbin/bird',
    install: 'bird2',
    config: passive => `
router id ${THEIRS};
protocol device {}
protocol bgp {
  local ${THEIRS} as 64513;
  neighbor ${OURS} as 64512;
  direct;
  ttl security on;
  passive ${passive ? 'on' : 'off'};
  connect delay time 1;
  connect retry time 1;
  ipv4 { import none; export none; };
}
`,
    start(host, d) {
      host.spawn(this.path, ['-f', '-c', join(d, 'conf'), '-s', join(d, 'socket'), '-P', join(d, 'pid')])
    },
  },
]

async function withRouter(kind: RouterKind, passive: boolean, play: () => Promise<void>): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'tmbgp-gtsm-'))
  try {
    await using host = await createHost([`${OURS}/24`], [`${THEIRS}/24`])
    writeFileSync(join(directory, 'conf'), kind.config(passive))
    kind.start(host, directory)
    await play()
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Type of the message that comes first: 1 is OPEN (RFC 4271 section 4.1). */
async function firstMessage(socket: Socket): Promise<number | undefined> {
  const [octets] = (await once(socket, 'data')) as [Uint8Array]
  return octets[18]
}

const NEVER = new AbortController().signal

async function dialUntilItListens(): Promise<Socket> {
  let socket: Socket | undefined
  await until('it listens', async () => {
    socket = await dialTcp({ address: THEIRS, port: 179, ...LIMITS }, NEVER)
    return true
  })
  if (!socket) throw new Error('no connection')
  return socket
}

function suite(kind: RouterKind): void {
  const skip = existsSync(kind.path) ? false : `needs apt-get install ${kind.install}`

  t.test(`RFC 5082 section 3: ${kind.name}: it dials us`, { skip }, async t => {
    let accept = (_socket: Socket): void => {}
    const accepted = new Promise<Socket>(resolve => (accept = resolve))
    const listener = new Listener(
      { address: OURS },
      socket => accept(socket),
      error => t.fail(error),
    )
    await withRouter(kind, false, async () => {
      await listener.open([{ address: THEIRS, ...LIMITS }])
      const socket = await accepted
      t.equal(listener.admit(socket, LIMITS), undefined)
      t.equal(await firstMessage(socket), 1, 'OPEN')
      socket.destroy()
      await listener.close()
    })
  })

  t.test(`RFC 5082 section 3: ${kind.name}: we dial it`, { skip }, async t => {
    await withRouter(kind, true, async () => {
      const socket = await dialUntilItListens()
      t.equal(await firstMessage(socket), 1, 'OPEN')
      socket.destroy()
    })
  })
}

t.setTimeout(900_000)
const missing = missingPrivilege()
if (missing) t.test('GTSM', { skip: missing }, async () => {})
else if (isInside()) KINDS.forEach(suite)
