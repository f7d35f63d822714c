/** The Linux kernel as the second reader: a host does what Router Advertisements and Redirects of ours say. */
import { Lab, until, type Host } from '@typemetal/lab'
import t from 'tap'
import * as wire from '@typemetal/arp-ndp/wire'
import { hex } from './octets.js'
import { mac } from './wire-samples.js'

const NOT_ROOT = process.geteuid?.() !== 0 && 'needs root for network namespaces'
const SOCKETS = import.meta.resolve('@typemetal/sockets')
/** Sends the frames that it is given in hexadecimal. */
const SEND = `
import { ETH_P_IPV6, listLinks, PacketSocket } from '${SOCKETS}'
const { index: interfaceIndex } = listLinks().find(({ name }) => name === 'eth0')
const socket = new PacketSocket({ interfaceIndex, etherType: ETH_P_IPV6, onFrames() {} })
for (const frame of process.argv.slice(1)) socket.send(Buffer.from(frame, 'hex'))
socket.close()`

const ROUTER = hex('fe80000000000000000000000000abcd')
const OTHER_ROUTER = hex('fe80000000000000000000000000beef')
const FAR = hex('20010db8000900000000000000000009')

/** From a router that is nothing but our frames. */
function frameOf(payload: Uint8Array, destination: Uint8Array, to: Uint8Array): Uint8Array {
  wire.writeChecksum(ROUTER, destination, payload)
  const header = { trafficClass: 0, flowLabel: 0, nextHeader: wire.NEXT_HEADER_ICMPV6, hopLimit: 255, source: ROUTER }
  return wire.encodeEthernet({
    destination: to,
    source: mac(0xab),
    tags: [],
    etherType: wire.EtherType.IPv6,
    payload: wire.encodeIpv6({ ...header, destination, payload }),
  })
}

const ADVERTISEMENT: wire.RouterAdvertisement = {
  currentHopLimit: 63,
  managed: false,
  other: false,
  homeAgent: false,
  preference: 'high',
  proxy: false,
  routerLifetime: 1234,
  reachableTime: 0,
  retransTimer: 2000,
  options: [
    { kind: 'source-link-layer-address', address: mac(0xab) },
    { kind: 'mtu', mtu: 1480 },
    {
      kind: 'prefix-information',
      prefixLength: 64,
      onLink: true,
      autonomous: true,
      routerAddress: false,
      dhcpv6PdPreferred: false,
      validLifetime: 7200,
      preferredLifetime: 3600,
      prefix: hex('20010db8000500000000000000000000'),
    },
    {
      kind: 'route-information',
      prefixLength: 48,
      preference: 'low',
      lifetime: 900,
      prefix: hex('20010db8aaaa0000'),
    },
    // What this kernel does not read must not keep it from the rest.
    { kind: 'pref64', lifetime: 1800, prefixLength: 96, prefix: hex('0064ff9b0000000000000000') },
    { kind: 'dns-search-list', lifetime: 60, domains: ['example.com'] },
    { kind: 'flags-expansion', flags: hex('000000000001') },
  ],
}

interface Route {
  readonly dst: string
  readonly gateway?: string
  readonly pref?: string
  readonly expires?: number
}

const routes = (host: Host, to: string): Promise<readonly Route[]> =>
  host.namespace.ipJson<readonly Route[]>(`-6 route show ${to} dev eth0`)
const setting = async (host: Host, name: string): Promise<string> =>
  (await host.exec(['cat', `/proc/sys/net/ipv6/${name}`])).stdout.trim()

t.setTimeout(900_000)

t.test('a host of the Linux kernel', { skip: NOT_ROOT }, async t => {
  await using lab = await Lab.create()
  const lan = await lab.bridge('lan')
  const sysctls = { 'net.ipv6.conf.eth0.accept_ra': 1, 'net.ipv6.conf.eth0.accept_ra_rt_info_max_plen': 128 }
  const redirects = { 'net.ipv6.conf.eth0.accept_redirects': 1, 'net.ipv6.conf.eth0.autoconf': 1 }
  const host = await lab.host('host', { links: [{ bridge: lan }], sysctls: { ...sysctls, ...redirects } })
  const router = await lab.host('router', { links: [{ bridge: lan }] })
  const hostMac = wire.parseMac(host.links.get('eth0')!.mac)
  const send = (frame: Uint8Array): Promise<unknown> =>
    router.exec([process.execPath, '--input-type=module', '-e', SEND, Buffer.from(frame).toString('hex')])
  const advertise = (advertisement: wire.RouterAdvertisement): Promise<unknown> =>
    send(frameOf(wire.encodeRouterAdvertisement(advertisement), wire.ALL_NODES, wire.multicastMac(wire.ALL_NODES)))
  const defaults = async (): Promise<Route | undefined> => (await routes(host, 'default'))[0]
  await until('the host to have a link-local address', async () =>
    (await host.exec(['ip', '-6', 'addr', 'show', 'dev', 'eth0', 'scope', 'link', '-tentative'])).stdout.includes(
      'fe80',
    )
      ? true
      : undefined,
  )

  await t.test('RFC 4861 section 8.3: a Redirect to a better first hop', async t => {
    const get = async (): Promise<string> => (await host.exec(['ip', '-6', 'route', 'get', '2001:db8:9::9'])).stdout
    // Without an MTU: beside a route that has one, this kernel keeps no Redirect.
    await advertise({ ...ADVERTISEMENT, options: [] })
    await until('a default route', async () => defaults())
    t.match(await get(), /via fe80::abcd/)
    const linkLocal = Uint8Array.from([0xfe, 0x80, 0, 0, 0, 0, 0, 0, ...interfaceIdentifier(hostMac)])
    const redirect = wire.encodeRedirect({
      targetAddress: OTHER_ROUTER,
      destinationAddress: FAR,
      options: [{ kind: 'target-link-layer-address', address: mac(0xbe) }],
    })
    await send(frameOf(redirect, linkLocal, hostMac))
    t.ok(await until('the other way', async () => ((await get()).includes('via fe80::beef') ? true : undefined)))
    const { stdout } = await host.exec(['ip', '-6', 'neighbour', 'show', 'dev', 'eth0'])
    t.match(stdout, /fe80::beef lladdr 02:00:00:00:00:be router/)
  })

  await t.test('RFC 4861 section 6.3.4, RFC 4191 sections 2.2 and 2.3: a Router Advertisement', async t => {
    await advertise(ADVERTISEMENT)
    await until('its MTU', async () => ((await setting(host, 'conf/eth0/mtu')) === '1480' ? true : undefined))
    const route = await defaults()
    t.match(route, { gateway: 'fe80::abcd', pref: 'high' })
    t.ok(Number(route?.expires) > 1200 && Number(route?.expires) <= 1234, `expires in ${route?.expires} s`)
    t.equal(await setting(host, 'conf/eth0/hop_limit'), '63')
    t.equal(await setting(host, 'neigh/eth0/retrans_time_ms'), '2000')
    const [more] = await routes(host, '2001:db8:aaaa::/48')
    t.match(more, { gateway: 'fe80::abcd', pref: 'low' })
    t.ok(Number(more?.expires) > 800 && Number(more?.expires) <= 900)
    const [prefix] = await routes(host, '2001:db8:5::/64')
    t.ok(Number(prefix?.expires) > 7000 && Number(prefix?.expires) <= 7200, 'on the link')
    const { stdout } = await host.exec(['ip', '-6', 'addr', 'show', 'dev', 'eth0', 'to', '2001:db8:5::/64'])
    t.match(stdout, /valid_lft 7\d{3}sec preferred_lft 3\d{3}sec/, 'RFC 4862 section 5.5.3: an address made of it')
    const { stdout: neighbors } = await host.exec(['ip', '-6', 'neighbour', 'show', 'dev', 'eth0'])
    t.match(neighbors, /fe80::abcd lladdr 02:00:00:00:00:ab router/)
  })

  await t.test('RFC 4861 section 6.3.4: a lifetime of 0 takes the default route back', async t => {
    await advertise({ ...ADVERTISEMENT, routerLifetime: 0, options: [] })
    t.ok(await until('no default route', async () => ((await defaults()) === undefined ? true : undefined)))
  })
})

/** Modified EUI-64, RFC 4291 appendix A: what the kernel makes its link-local address of. */
const interfaceIdentifier = (mac: Uint8Array): readonly number[] => [
  mac[0]! ^ 2,
  ...mac.subarray(1, 3),
  0xff,
  0xfe,
  ...mac.subarray(3),
]
