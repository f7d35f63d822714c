// The real routers, agents and dissectors that the tests talk to, and the compilers they want, from Debian's packages.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

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
  busybox: ['/usr/bin/busybox', '/bin/busybox'],
  ndisc6: ['/usr/bin/ndisc6'],
  openssl: ['/usr/bin/openssl'],
  prometheus: ['/usr/bin/prometheus'],
  // shells whose completion is tried
  zsh: ['/usr/bin/zsh', '/bin/zsh'],
  fish: ['/usr/bin/fish', '/bin/fish'],
  'chromium-headless-shell': ['/usr/bin/chromium-headless-shell'],
  // images: to unpack and run them, and what they are made with
  umoci: ['/usr/bin/umoci'],
  runc: ['/usr/sbin/runc', '/usr/bin/runc'],
  binutils: ['/usr/bin/strip'],
  'libcap2-bin': ['/usr/sbin/setcap', '/sbin/setcap'],
  // compilers for the prebuilt addons of @typemetal/sockets
  'gcc-aarch64-linux-gnu': ['/usr/bin/aarch64-linux-gnu-gcc'],
  'musl-tools': ['/usr/bin/musl-gcc'],
}
/** Packages that cannot be installed beside those: unpacked into a folder of the checkout, and run from there. */
const UNPACKED = {
  // conflicts with arping
  'iputils-arping': fileURLToPath(new URL('../lab/build/iputils-arping', import.meta.url)),
}
const POLICY = '/usr/sbin/policy-rc.d'

/** Packages of {@link PEERS} that are not installed. */
export const missingPeers = () => [
  ...Object.entries(PEERS)
    .filter(([, files]) => !files.some(file => existsSync(file)))
    .map(([name]) => name),
  ...Object.entries(UNPACKED)
    .filter(([, folder]) => !existsSync(folder))
    .map(([name]) => name),
]

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
  const [install, unpack] = [missing.filter(name => !(name in UNPACKED)), missing.filter(name => name in UNPACKED)]
  console.error(`peers: apt-get install ${missing.join(' ')}`)
  const ours = !existsSync(POLICY)
  if (ours) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    if (install.length > 0) apt(['install', '-y', '--no-install-recommends', ...install])
    for (const name of unpack) unpackPackage(name, UNPACKED[name])
  } finally {
    if (ours) rmSync(POLICY, { force: true })
  }
}

/** Runs apt-get, once more after an update when it fails, and says so when that fails too. @returns whether it worked */
function apt(args, options = {}) {
  const once = words =>
    spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...words], {
      encoding: 'utf8',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      ...options,
    })
  let result = once(args)
  if (result.status !== 0) {
    once(['update'])
    result = once(args)
  }
  if (result.status !== 0)
    console.error(`peers: apt-get failed; the tests that want them are skipped\n${result.stderr}`)
  return result.status === 0
}

/** Puts a package's files into a folder, which is there only when all of them are. */
function unpackPackage(name, folder) {
  const work = mkdtempSync(join(tmpdir(), 'typemetal-peers-'))
  try {
    // Else apt, which downloads as a user of its own, warns that it cannot write here.
    if (!apt(['-o', 'APT::Sandbox::User=root', 'download', name], { cwd: work })) return
    const [file = ''] = readdirSync(work)
    mkdirSync(dirname(folder), { recursive: true })
    const { status, stderr } = spawnSync('dpkg-deb', ['-x', join(work, file), folder], { encoding: 'utf8' })
    if (status === 0) return
    rmSync(folder, { recursive: true, force: true })
    console.error(`peers: dpkg-deb failed on ${name}; the tests that want it are skipped\n${stderr}`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
