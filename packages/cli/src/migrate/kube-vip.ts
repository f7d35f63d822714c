/** kube-vip: its cloud provider's ConfigMap of ranges, and what its Pods are told by environment. */
import { parseCIDR } from '@typemetal/cluster'
import { type Conversion, unlessEmpty } from './conversion.js'
import { fieldsOf, groupOf, listOf, type RawObject, textOf } from './objects.js'

const RANGE = /^(cidr|range)-(.+)$/

/** Whether an object is kube-vip's. */
export const isKubeVip = (object: RawObject): boolean => isRanges(object) || environmentOf(object) !== undefined

const isRanges = ({ kind, data, ...object }: RawObject): boolean =>
  kind === 'ConfigMap' &&
  groupOf({ kind, data, ...object }) === '' &&
  Object.keys(data).some(key => RANGE.test(key)) &&
  /kube-?vip/.test(object.name)

/** Converts one object. */
export function convertKubeVip(object: RawObject, conversion: Conversion): void {
  const environment = environmentOf(object)
  if (environment) convertEnvironment(object, environment, conversion)
  else convertRanges(object, conversion)
}

function convertRanges({ name, namespace, data }: RawObject, conversion: Conversion): void {
  const subject = `ConfigMap ${namespace}/${name}`
  const pools = new Map<string, string[]>()
  for (const [key, value] of Object.entries(data)) {
    const [, , scope] = RANGE.exec(key) ?? []
    if (scope === undefined) {
      conversion.note(subject, `${key}: has no equal and is left out`)
      continue
    }
    const items = value
      .split(',')
      .map(text => text.trim())
      .filter(Boolean)
    pools.set(scope, [...(pools.get(scope) ?? []), ...items])
  }
  for (const [scope, addresses] of pools) {
    const dhcp = addresses.filter(text => text.startsWith('0.0.0.0'))
    if (dhcp.length > 0)
      conversion.note(
        subject,
        `${scope}: addresses by DHCP (0.0.0.0) have no equal: give a range that the DHCP server leaves alone`,
      )
    const usable = addresses.filter(text => !dhcp.includes(text)).map(withoutHostBits)
    if (usable.length === 0) continue
    conversion.add('IPAddressPool', scope === 'global' ? 'kube-vip' : `kube-vip-${scope}`, {
      addresses: usable,
      ...(scope !== 'global' && { serviceAllocation: { priority: 50, namespaces: [scope] } }),
    })
  }
}

/** kube-vip takes `192.168.0.220/29` for the whole block; a pool wants its first address. */
function withoutHostBits(text: string): string {
  if (!text.includes('/')) return text.includes('-') ? text : `${text}/${text.includes(':') ? 128 : 32}`
  try {
    return parseCIDR(text).cidr
  } catch {
    return text // said again, with its field, when the result is checked
  }
}

/** The environment of a kube-vip container in a DaemonSet, Deployment or Pod. */
function environmentOf({ kind, spec }: RawObject): ReadonlyMap<string, string> | undefined {
  if (kind !== 'DaemonSet' && kind !== 'Deployment' && kind !== 'Pod') return undefined
  const pod = kind === 'Pod' ? spec : fieldsOf(fieldsOf(spec, 'template'), 'spec')
  const container = listOf(pod, 'containers').find(each =>
    /(?:^|\/)kube-vip(?:[:@]|$)/.test(textOf(each, 'image') ?? ''),
  )
  if (!container) return undefined
  return new Map(listOf(container, 'env').map(entry => [textOf(entry, 'name') ?? '', textOf(entry, 'value') ?? '']))
}

function convertEnvironment(
  { kind, name, namespace }: RawObject,
  env: ReadonlyMap<string, string>,
  conversion: Conversion,
): void {
  const subject = `${kind} ${namespace}/${name}`
  const on = (key: string): boolean => env.get(key) === 'true'
  const networkInterface = env.get('vip_servicesinterface') || env.get('vip_interface')
  if (on('vip_arp')) {
    conversion.add('L2Advertisement', 'kube-vip', {
      interfaces: unlessEmpty(networkInterface ? [networkInterface] : []),
    })
    conversion.note(
      subject,
      'vip_arp: the owner of an address is elected by hash for each address, not by a Lease; vip_leaseduration and its like have no equal',
    )
  }
  if (on('bgp_enable')) convertPeers(env, conversion, subject)
  for (const mode of ['vip_routingtable', 'vip_wireguard'])
    if (on(mode)) conversion.note(subject, `${mode}: has no equal: announce the addresses by layer 2 or BGP`)
  if (on('cp_enable'))
    conversion.note(
      subject,
      'cp_enable: an address for the control plane has no equal: keep kube-vip for it (without svc_enable), or use another way',
    )
  if (on('vip_ddns') || env.get('address')?.includes('.local')) conversion.note(subject, 'dynamic DNS has no equal')
  if (on('enable_upnp')) conversion.note(subject, 'enable_upnp: has no equal')
  if (on('egress_podcidr') || on('egress_withnftables')) conversion.note(subject, 'egress addresses have no equal')
}

function convertPeers(env: ReadonlyMap<string, string>, conversion: Conversion, subject: string): void {
  const myASN = Number(env.get('bgp_as') || 65000)
  const single = env.get('bgp_peeraddress')
    ? [
        [
          env.get('bgp_peeraddress') ?? '',
          env.get('bgp_peeras') ?? '',
          env.get('bgp_peerpass') ?? '',
          env.get('bgp_multihop') ?? '',
        ].join('\0'),
      ]
    : []
  // ADDRESS:AS:PASSWORD:MULTIHOP, separated by commas; an IPv6 address is in brackets.
  const several = (env.get('bgp_peers') ?? '')
    .split(',')
    .filter(Boolean)
    .map(text => {
      const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d+)(?::([^:]*))?(?::(\w*))?$/.exec(text.trim())
      if (!match) {
        conversion.note(subject, `bgp_peers: "${text}" is not understood`)
        return ''
      }
      return [match[1] ?? match[2], match[3], match[4] ?? '', match[5] ?? ''].join('\0')
    })
  for (const peer of [...single, ...several.filter(Boolean)]) {
    const [peerAddress = '', asn = '', password = '', multihop = ''] = peer.split('\0')
    const name = conversion.add('BGPPeer', `kube-vip-${peerAddress}`, {
      myASN,
      peerASN: Number(asn || 65000),
      peerAddress,
      holdTime: secondsOf(env.get('bgp_hold_time')),
      keepaliveTime: secondsOf(env.get('bgp_keepalive_interval')),
      ...(password && { password }),
      ...(multihop === 'true' && { ebgpMultiHop: true }),
    })
    if (password)
      conversion.note(
        `BGPPeer ${name}`,
        'its password is in plain text: put it into a Secret and name that in passwordSecret',
      )
  }
  conversion.add('BGPAdvertisement', 'kube-vip', {})
  if (env.get('bgp_sourceip') || env.get('bgp_sourceif')) {
    conversion.note(
      subject,
      'bgp_sourceip, bgp_sourceif: left out: the kernel chooses the address; a BGPPeer with sourceAddress is for one node, so give it nodeSelectors',
    )
  }
  if (env.get('bgp_routerid') || env.get('bgp_routerinterface')) {
    conversion.note(
      subject,
      'bgp_routerid, bgp_routerinterface: left out: every node takes the address of its connection',
    )
  }
}

/** A whole number of seconds as a duration. */
const secondsOf = (text: string | undefined): string | undefined =>
  text !== undefined && /^\d+$/.test(text) ? `${text}s` : undefined
