/** Programs of others that the tests talk to, and the reason where one is missing. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { nftablesInstalled } from '@typemetal/lab'

const installed = (paths: readonly string[]): string | undefined => paths.find(path => existsSync(path))
const onPath = (program: string): string | undefined =>
  installed(['/usr/sbin', '/sbin', '/usr/bin', '/bin'].map(folder => `${folder}/${program}`))

/** Debian's package of it conflicts with the other arping's, so `npm test` unpacks it there. */
const UNPACKED = fileURLToPath(new URL('../../../lab/build/iputils-arping/usr/bin/arping', import.meta.url))

/** Programs by name; `undefined` where they are not installed. */
export const TOOLS = {
  /** Thomas Habets's. */
  arping: installed(['/usr/sbin/arping']),
  /** Of iputils: its package puts it where the other one is not. */
  iputilsArping: installed(['/usr/bin/arping', UNPACKED]),
  busybox: onPath('busybox'),
  ndisc6: onPath('ndisc6'),
  rdisc6: onPath('rdisc6'),
  tshark: onPath('tshark'),
  setpriv: onPath('setpriv'),
} as const

/** Packages by what they bring, for the reason of a skip. */
const PACKAGES: Readonly<Record<keyof typeof TOOLS, string>> = {
  arping: 'arping',
  iputilsArping: 'iputils-arping, unpacked by npm test because it conflicts with arping',
  busybox: 'busybox',
  ndisc6: 'ndisc6',
  rdisc6: 'ndisc6',
  tshark: 'tshark',
  setpriv: 'util-linux',
}

/** Reason to skip what needs a program; `false` when it is there. */
export const lacks = (tool: keyof typeof TOOLS): string | false =>
  TOOLS[tool] === undefined && `needs the package ${PACKAGES[tool]}`

/** Reason to skip what needs network namespaces; `false` when we can have them. */
export const noNamespaces: string | false =
  (process.platform !== 'linux' && 'needs Linux') ||
  (process.geteuid?.() !== 0 && 'needs root for network namespaces') ||
  (onPath('ip') === undefined && 'needs the package iproute2')

/** Reason to skip what needs a packet filter; `false` when there is one. */
export const noFilter: string | false = !nftablesInstalled() && 'needs the package nftables'
