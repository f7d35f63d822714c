/** Unnumbered neighbours on real interfaces: two of ours, the kernel, FRR. */
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { Icmpv6Socket, listLinks } from '@typemetal/sockets'
import t from 'tap'
import { systemClock } from '../dist/node/clock.js'
import { dialTcp } from '../dist/node/dial.js'
import { LinkWatch } from '../dist/node/link-watch.js'
import { SILENT } from '../dist/node/logger.js'
import { encodeRouterAdvertisement } from '../dist/node/unnumbered/router-advertisement.js'
import { UnnumberedNeighbor, zoneOf } from '../dist/node/unnumbered/unnumbered-neighbor.js'
import { createHost, isInside, missingPrivilege, run, until } from './interop/namespace.js'
import { missingZebra, UnnumberedFrr } from './unnumbered-frr.js'

/** The usable link-local address of an interface. */
const linkLocal = (name: string): string | undefined =>
  listLinks()
    .find(link => link.name === name)
    ?.addresses.find(({ scope, family, tentative }) => scope === 'link' && family === 6 && !tentative)?.address

/** A neighbour, and all that it has said. */
class Watched implements AsyncDisposable {
  readonly changes: (string | undefined)[] = []
  readonly links: LinkWatch
  readonly neighbor: UnnumberedNeighbor

  constructor(name: string) {
    this.links = new LinkWatch(error => this.changes.push(error.message))
    this.neighbor = new UnnumberedNeighbor({
      interface: name,
      links: this.links,
      clock: systemClock,
      log: SILENT,
      onChange: address => this.changes.push(address),
    })
  }

  /** Until it knows of this neighbour. */
  async learns(address: string | undefined): Promise<void> {
    await until(`${address} is the neighbour`, () => this.neighbor.address === address)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.neighbor.close()
  }
}

const addPair = (): void => {
  run('ip', 'link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb')
  for (const name of ['va', 'vb']) run('ip', 'link', 'set', name, 'up')
}

function suite(): void {
  t.test('RFC 4861 section 6: two of ours find each other, and again when the link was down or gone', async t => {
    await using a = new Watched('va')
    await until('said', () => a.neighbor.reason === 'no interface va')
    addPair()
    await using b = new Watched('vb')
    await until('addresses', () => linkLocal('va') !== undefined && linkLocal('vb') !== undefined)
    const [ofA, ofB] = [`${linkLocal('va')}%vb`, `${linkLocal('vb')}%va`]
    await Promise.all([a.learns(ofB), b.learns(ofA)])
    t.equal(a.neighbor.reason, undefined)

    run('ip', 'link', 'set', 'va', 'down')
    await Promise.all([a.learns(undefined), b.learns(undefined)])
    t.equal(a.neighbor.reason, 'interface va is down')
    t.equal(b.neighbor.reason, 'interface vb is down')
    run('ip', 'link', 'set', 'va', 'up')
    await Promise.all([a.learns(ofB), b.learns(ofA)])

    run('ip', 'link', 'delete', 'va')
    await Promise.all([a.learns(undefined), b.learns(undefined)])
    t.equal(a.neighbor.reason, 'no interface va')
    addPair()
    await until('addresses', () => linkLocal('va') !== undefined && linkLocal('vb') !== undefined)
    await Promise.all([a.learns(`${linkLocal('vb')}%va`), b.learns(`${linkLocal('va')}%vb`)])
    t.same(a.changes, [ofB, undefined, ofB, undefined, a.neighbor.address])
  })

  t.test('RFC 4861 section 6.1.2: a second router on the link: none is the neighbour, and it says why', async t => {
    await using a = new Watched('va')
    await using b = new Watched('vb')
    await Promise.all([a.learns(`${linkLocal('vb')}%va`), b.learns(`${linkLocal('va')}%vb`)])
    run('ip', 'address', 'add', 'fe80::dead/64', 'dev', 'vb', 'nodad')
    const { index } = listLinks().find(link => link.name === 'vb')!
    const socketOf = (hopLimit: number): Icmpv6Socket =>
      new Icmpv6Socket({ interfaceIndex: index, types: [], source: 'fe80::dead', hopLimit, onPackets() {} })
    const octets = encodeRouterAdvertisement({
      currentHopLimit: 64,
      flags: 0,
      routerLifetime: 0,
      reachableTime: 0,
      retransTimer: 0,
      options: [],
    })
    using far = socketOf(254)
    far.send(octets, 'ff02::1')
    using near = socketOf(255)
    near.send(octets.subarray(0, 15), 'ff02::1')
    t.match(a.neighbor, { reason: undefined }, 'hop limit and length are looked at')
    near.send(octets, 'ff02::1')
    await a.learns(undefined)
    t.match(a.neighbor.reason, /^2 routers on va \(.*fe80::dead\b.*\): an unnumbered peer must be the only one$/)
  })

  t.test('a link-local neighbour is dialled by its zone, and tells its zone when it dials', async t => {
    await using a = new Watched('va')
    await using b = new Watched('vb')
    await until('found', () => a.neighbor.address && b.neighbor.address)
    const server = createServer().listen(1790, '::')
    await once(server, 'listening')
    const accepted = once(server, 'connection') as Promise<[Socket]>
    const address = a.neighbor.address ?? ''
    const socket = await dialTcp({ address, port: 1790, ttl: 255 }, new AbortController().signal)
    const [other] = await accepted
    // In one namespace the kernel takes the short way; what counts is that the address was enough.
    t.match(other.remoteAddress, /^fe80::/)
    t.equal(zoneOf(address), 'va')
    t.equal(zoneOf('10.0.0.1'), undefined)
    for (const each of [socket, other]) each.destroy()
    server.close()
  })

  t.test('RFC 4861 section 6.2.2: nobody takes us for a default router', async t => {
    await using host = await createHost([], [])
    host.exec('sh', '-c', 'echo 1 > /proc/sys/net/ipv6/conf/eth0/accept_ra')
    await using ours = new Watched(host.link)
    const received = (): number =>
      Number(/Icmp6InRouterAdvertisements\s+(\d+)/.exec(host.exec('cat', '/proc/net/snmp6'))?.[1])
    await until('the kernel has heard our advertisement', () => received() > 0)
    t.equal(host.exec('ip', '-6', 'route', 'show', 'default'), '')
    t.equal(ours.neighbor.reason, `no router advertisement on ${host.link} yet`, 'a host is no neighbour')
  })

  const skip = missingZebra() ?? false
  t.test('FRR, neighbor eth0 interface: it learns our link-local address and we learn its', { skip }, async t => {
    await using host = await createHost([], [])
    await using frr = await UnnumberedFrr.start(host, 64_513)
    await using ours = new Watched(host.link)
    await until('the link has an address', () => linkLocal(host.link) !== undefined)
    await until('FRR knows ours', () => frr.session().address === linkLocal(host.link))
    const theirs = /inet6 (fe80::\S+)\/64/.exec(host.exec('ip', 'address', 'show', 'dev', 'eth0'))?.[1]
    await ours.learns(`${theirs}%${host.link}`)

    const server = createServer().listen(179, '::')
    await once(server, 'listening')
    const [socket] = (await once(server, 'connection')) as [Socket]
    t.equal(socket.remoteAddress, ours.neighbor.address, 'its connection comes from there')
    socket.destroy()
    server.close()

    host.exec('ip', 'link', 'set', 'eth0', 'down')
    await ours.learns(undefined)
    host.exec('ip', 'link', 'set', 'eth0', 'up')
    await ours.learns(`${theirs}%${host.link}`)
    await until('FRR knows ours again', () => frr.session().address === linkLocal(host.link))
  })
}

t.setTimeout(900_000)
const missing = missingPrivilege()
if (missing) t.test('unnumbered', { skip: missing }, async () => {})
else if (isInside()) suite()
