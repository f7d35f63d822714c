// The real routers, agents and dissectors that the tests talk to, from Debian's packages.
import { spawnSync } from 'node:child_process'
import { existsSync, rmSync, writeFileSync } from 'node:fs'

/** Debian package → a file it brings, by which we know that it is there. */
const PEERS = {
  iproute2: ['/usr/sbin/ip', '/sbin/ip', '/usr/bin/ip'],
  frr: ['/usr/lib/frr/bgpd'],
  bird2: ['/usr/sbin/bird'],
  gobgpd: ['/usr/bin/gobgpd'],
  openbgpd: ['/usr/sbin/bgpctl'],
  exabgp: ['/usr/sbin/exabgp'],
  bgpdump: ['/usr/bin/bgpdump'],
  serf: ['/usr/bin/serf'],
  tshark: ['/usr/bin/tshark'],
  nftables: ['/usr/sbin/nft'],
  arping: ['/usr/sbin/arping'],
  ndisc6: ['/usr/bin/ndisc6'],
  openssl: ['/usr/bin/openssl'],
}
const POLICY = '/usr/sbin/policy-rc.d'

/** Packages of {@link PEERS} that are not installed. */
export const missingPeers = () =>
  Object.entries(PEERS)
    .filter(([, files]) => !files.some(file => existsSync(file)))
    .map(([name]) => name)

/**
 * Installs the missing peers when this is Debian, we are root and nobody forbade it; says so either way.
 * Services of these packages are kept from starting: the tests run every peer by hand in a namespace of their own.
 */
export function installPeers() {
  const missing = missingPeers()
  if (missing.length === 0) return
  const why =
    process.env.TYPEMETAL_NO_INSTALL === '1'
      ? 'TYPEMETAL_NO_INSTALL=1'
      : process.getuid?.() !== 0
        ? 'not root'
        : spawnSync('apt-get', ['--version']).error
          ? 'no apt-get'
          : undefined
  if (why) {
    console.error(`peers: not installing ${missing.join(', ')} (${why}); the tests that want them are skipped`)
    return
  }
  console.error(`peers: apt-get install ${missing.join(' ')}`)
  const apt = args =>
    spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  const ours = !existsSync(POLICY)
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    let result = apt(['install', '-y', '--no-install-recommends', ...missing])
    if (result.status !== 0) {
      apt(['update'])
      result = apt(['install', '-y', '--no-install-recommends', ...missing])
    }
    if (result.status !== 0)
      console.error(`peers: apt-get failed; the tests that want them are skipped\n${result.stderr}`)
  } finally {
    if (ours) rmSync(POLICY, { force: true })
  }
}
