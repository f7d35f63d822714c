// Records what this machine's kernel says by rtnetlink, for test/vectors: sudo node scripts/record-vectors.mjs
//
// Runs itself in a network namespace of its own, where it makes interfaces, addresses, neighbours and routes of every kind that the
// decoders know and the kernel has. One datagram a line, as hex.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { native } from '../dist/node/native.js'
import * as wire from '../dist/wire/index.js'

const FOLDER = fileURLToPath(new URL('../test/vectors/', import.meta.url))
const GROUPS = 0x555 // links, neighbours, addresses and routes of both families

if (process.env.TYPEMETAL_RECORDING) record()
else {
  const words = ['--net', process.execPath, fileURLToPath(import.meta.url)]
  const { status } = spawnSync('unshare', words, {
    stdio: 'inherit',
    env: { ...process.env, TYPEMETAL_RECORDING: '1' },
  })
  process.exitCode = status ?? 1
}

/** Runs `ip` with the words of a line; what this kernel lacks is said and left out. */
function ip(line) {
  const { status, stderr } = spawnSync('ip', line.split(' '), { encoding: 'utf8' })
  if (status !== 0) console.error(`ip ${line}: ${stderr.trim()}`)
}

function open(groups) {
  const descriptor = native().open(wire.AddressFamily.netlink, 3, 0)
  native().setOption(descriptor, 270, 12, Uint8Array.of(1, 0, 0, 0)) // NETLINK_GET_STRICT_CHK
  native().bind(descriptor, wire.encodeNetlinkAddress(groups))
  return descriptor
}

/** Reads datagrams until there are none, or one ends a dump. */
function readAll(descriptor) {
  const arena = new Uint8Array(65_536)
  const results = new Uint32Array(4)
  const datagrams = []
  while (native().receive(descriptor, arena, arena.length, 0, 0, results) > 0) {
    const datagram = arena.slice(0, results[0])
    datagrams.push(datagram)
    if (wire.decodeNetlink(datagram).some(({ type }) => type === wire.NetlinkType.done)) break
  }
  return datagrams
}

function dump(type, payload) {
  const descriptor = open(0)
  const flags = wire.NetlinkFlag.request | wire.NetlinkFlag.dump
  const request = wire.encodeNetlink({ type, flags, sequence: 1, payload })
  native().send(descriptor, [request], wire.encodeNetlinkAddress())
  const datagrams = readAll(descriptor)
  native().close(descriptor)
  return datagrams
}

function save(name, datagrams) {
  writeFileSync(`${FOLDER}${name}.hex`, datagrams.map(octets => `${Buffer.from(octets).toString('hex')}\n`).join(''))
  console.log(`${name}: ${datagrams.length} datagrams`)
}

function makeLinks() {
  for (const line of [
    'link set dev lo up',
    'link add name br0 address 02:00:00:00:00:01 type bridge',
    'link add name va address 02:00:00:00:00:0a type veth peer name vb address 02:00:00:00:00:0b',
    'link set dev va master br0',
    'link add name mac0 address 02:00:00:00:00:0c link vb type macvlan mode bridge',
    'link add name vx0 address 02:00:00:00:00:0d type vxlan id 7 dstport 4789 local 127.0.0.1',
    'tuntap add dev tun0 mode tun',
    'link add name bond0 type bond',
    'link add name vlan7 link vb type vlan id 7',
    'link add name red type vrf table 10',
    'link add name dummy0 type dummy',
  ])
    ip(line)
  for (const name of ['br0', 'va', 'vb', 'mac0', 'tun0']) {
    ip(`link set dev ${name} addrgenmode none`)
    ip(`link set dev ${name} up`)
  }
}

function makeAddresses() {
  for (const line of [
    'address add 10.0.0.1/24 dev br0',
    'address add 10.0.0.2/24 dev br0',
    'address add 10.9.9.1 peer 10.9.9.2 dev vb',
    'address add 10.0.7.1/16 scope link dev vb',
    'address add fd00::1/64 dev br0 nodad',
    'address add fd00::2/64 dev br0 nodad valid_lft 3600 preferred_lft 1800',
    'address add fd00::3/64 dev br0 nodad valid_lft 3600 preferred_lft 0',
    'address add fe80::b/64 dev vb nodad',
    'address add fd00:1::5/64 dev vb',
  ])
    ip(line)
}

function makeNeighbors() {
  for (const line of [
    'neighbor add 10.0.0.7 lladdr 02:00:00:00:00:77 nud permanent dev br0',
    'neighbor add 10.0.0.8 lladdr 02:00:00:00:00:78 nud reachable dev br0',
    'neighbor add 10.0.0.9 lladdr 02:00:00:00:00:79 nud stale dev br0',
    'neighbor add 10.0.0.10 nud failed dev br0',
    'neighbor add 10.0.0.11 lladdr 02:00:00:00:00:7b nud noarp dev br0',
    'neighbor add fd00::7 lladdr 02:00:00:00:00:77 nud reachable router dev br0',
    'neighbor add fd00::8 lladdr 02:00:00:00:00:78 nud permanent extern_learn dev br0',
    'neighbor add fd00::9 lladdr 02:00:00:00:00:79 nud probe dev br0',
  ])
    ip(line)
}

function makeRoutes() {
  for (const line of [
    'route add default via 10.0.0.254 dev br0 metric 100 proto dhcp src 10.0.0.1',
    'route add 192.0.2.0/24 proto bgp nexthop via 10.0.0.7 dev br0 weight 3 nexthop via 10.9.9.2 dev vb weight 1',
    'route add 198.51.100.0/24 via inet6 fd00::7 dev br0 proto bird',
    'route add 203.0.113.7/32 via 172.16.0.1 dev vb onlink table 1000 proto static',
    'route add blackhole 203.0.113.0/24 metric 7',
    'route add unreachable 203.0.114.0/24',
    'route add prohibit 203.0.115.0/24',
    'route add throw 203.0.116.0/24 table 10',
    '-6 route add default via fd00::254 dev br0 proto ra metric 1024 expires 1800',
    '-6 route add 2001:db8:1::/48 proto bgp nexthop via fd00::7 dev br0 weight 2 nexthop via fe80::7 dev vb weight 5',
    '-6 route add 2001:db8:2::/48 from fd00::/64 dev br0 proto 77',
    '-6 route add blackhole 2001:db8:3::/48',
    'nexthop add id 9 via 10.0.0.9 dev br0',
    'route add 192.0.3.0/24 nhid 9',
  ])
    ip(line)
}

function record() {
  makeLinks()
  makeAddresses()
  makeNeighbors()
  makeRoutes()
  save('link-kinds', dump(wire.NetlinkType.getLink, wire.encodeLinkRequest()))
  save('address-kinds', dump(wire.NetlinkType.getAddress, wire.encodeAddressRequest()))
  save('neighbor-dump', dump(wire.NetlinkType.getNeighbor, wire.encodeNeighborRequest()))
  save('route-dump', dump(wire.NetlinkType.getRoute, wire.encodeRouteRequest()))
  recordChanges()
}

/** Notifications, in the order of the lines that caused them. */
function recordChanges() {
  const descriptor = open(GROUPS)
  for (const line of [
    'link set dev vb address 02:00:00:00:00:1b',
    'link set dev vb down',
    'link set dev va nomaster',
    'address add 10.0.0.3/24 dev br0',
    'address delete 10.0.0.3/24 dev br0',
    'neighbor replace 10.0.0.9 lladdr 02:00:00:00:00:99 nud permanent dev br0',
    'neighbor delete 10.0.0.9 dev br0',
    'route add 192.0.4.0/24 via 10.0.0.7',
    'route delete 192.0.4.0/24',
    'link delete va',
  ])
    ip(line)
  save('changes', readAll(descriptor))
  native().close(descriptor)
}
