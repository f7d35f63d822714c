import { getSystemErrorMap } from 'node:util'
import { SocketError } from '../errors.js'

const RAW =
  'needs CAP_NET_RAW: run as root, or grant it (setcap cap_net_raw+ep on the node binary, or the container capability NET_RAW)'

/** What to do about an error, by code, or by code and system call where that makes a difference. */
const ADVICE: Readonly<Record<string, string>> = {
  'EPERM socket': RAW,
  'EPERM setsockopt': RAW,
  'EPERM bind': RAW,
  EPERM: 'a capability is missing, or a firewall rule forbids it',
  'EACCES bind':
    'ports below 1024 need CAP_NET_BIND_SERVICE: run as root, grant it, or lower net.ipv4.ip_unprivileged_port_start',
  EADDRINUSE: 'another process has this port: stop it or choose another port (ss -lntup shows which)',
  EADDRNOTAVAIL: 'no interface of this host has this address, or the address is still tentative',
  EAFNOSUPPORT: 'the kernel has no support for this address family (IPv6 may be disabled)',
  ENODEV: 'there is no such interface (any more)',
  ENXIO: 'there is no such interface (any more)',
  ENETDOWN: 'the interface is down or gone',
  ENETUNREACH: 'there is no route to it',
  EHOSTUNREACH: 'nobody answers for the next hop',
  ECONNREFUSED: 'nothing listens on this address and port',
  ENOPROTOOPT: 'the kernel was built without this option',
  'EADDRINUSE setsockopt': 'the group has been joined already',
  'EADDRNOTAVAIL setsockopt': 'the group has not been joined',
  'ENOENT setsockopt': 'there is no such key',
  'ENOMEM setsockopt': 'the socket has too many memberships or keys: raise net.core.optmem_max',
  'ENOBUFS setsockopt': 'too many group memberships: raise net.core.optmem_max or net.ipv4.igmp_max_memberships',
  'ENOBUFS recvmsg': 'the kernel dropped messages because they were not read in time',
  ENOBUFS: 'the transmit queue is full: send less at a time',
  EAGAIN: 'the send buffer is full: send less at a time',
  EMFILE: 'too many open files: raise the limit (ulimit -n)',
  EMSGSIZE: 'longer than the MTU of the interface',
}

/**
 * The error of a failed system call.
 *
 * @param errno positive
 * @param subject what it was about, for the message: `'AF_PACKET'`, `'[::1]:179'`
 * @param advice instead of the usual one for this error
 */
export function systemError(errno: number, syscall: string, subject = '', advice?: string): SocketError {
  const [code, text] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, 'unknown error']
  const todo = advice ?? ADVICE[`${code} ${syscall}`] ?? ADVICE[code]
  const what = subject === '' ? syscall : `${syscall} ${subject}`
  return new SocketError(`${what}: ${code} ${text}${todo === undefined ? '' : `: ${todo}`}`, code, syscall, errno)
}

/**
 * Passes a result of the addon on.
 *
 * @throws {SocketError} when it is -errno
 */
export function check(result: number, syscall: string, subject?: string, advice?: string): number {
  if (result < 0) throw systemError(-result, syscall, subject, advice)
  return result
}
