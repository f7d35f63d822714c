/** MetalLB's configuration of before 0.13: a ConfigMap with YAML in its key `config`. */
import { isFields } from '@typemetal/cluster'
import { parse } from 'yaml'
import { type Conversion, unlessEmpty } from './conversion.js'
import { type Fields, fieldsOf, groupOf, listOf, numberOf, type RawObject, textOf, textsOf } from './objects.js'

const KNOWN = ['peers', 'address-pools', 'bgp-communities', 'bfd-profiles']
const KNOWN_OF_PEERS = words(
  'my-asn peer-asn peer-address peer-port source-address router-id ebgp-multihop password hold-time keepalive-time bfd-profile node-selectors peer-autodiscovery',
)
const KNOWN_OF_POOLS = ['name', 'protocol', 'addresses', 'auto-assign', 'avoid-buggy-ips', 'bgp-advertisements']
const KNOWN_OF_ADVERTISEMENTS = ['aggregation-length', 'aggregation-length-v6', 'localpref', 'communities', 'peers']
const KNOWN_OF_PROFILES = words(
  'name receive-interval transmit-interval detect-multiplier echo-interval echo-mode passive-mode minimum-ttl',
)

function words(text: string): readonly string[] {
  return text.split(' ')
}

/** Whether an object is such a ConfigMap. */
export const isOldConfig = (object: RawObject): boolean =>
  object.kind === 'ConfigMap' &&
  groupOf(object) === '' &&
  /^(?:address-pools|peers|bgp-communities|bfd-profiles)\s*:/m.test(object.data['config'] ?? '')

/** Converts one ConfigMap. */
export function convertConfigMap({ name, namespace, data }: RawObject, conversion: Conversion): void {
  const subject = `ConfigMap ${namespace || 'metallb-system'}/${name}`
  const config = read(data['config'] ?? '', subject, conversion)
  if (!config) return
  const leftOut = (fields: Fields, known: readonly string[], path = ''): void => {
    for (const key of Object.keys(fields).filter(key => !known.includes(key)))
      conversion.note(subject, `${path}${key}: has no equal and is left out`)
  }
  leftOut(config, KNOWN)
  for (const [i, profile] of listOf(config, 'bfd-profiles').entries())
    leftOut(profile, KNOWN_OF_PROFILES, `bfd-profiles[${i}].`)
  for (const [i, peer] of listOf(config, 'peers').entries()) leftOut(peer, KNOWN_OF_PEERS, `peers[${i}].`)
  for (const [i, pool] of listOf(config, 'address-pools').entries()) {
    leftOut(pool, KNOWN_OF_POOLS, `address-pools[${i}].`)
    for (const [j, ad] of listOf(pool, 'bgp-advertisements').entries())
      leftOut(ad, KNOWN_OF_ADVERTISEMENTS, `address-pools[${i}].bgp-advertisements[${j}].`)
  }
  const communities = Object.entries(fieldsOf(config, 'bgp-communities'))
  if (communities.length > 0) {
    conversion.add('Community', 'communities', {
      communities: communities.map(([alias, value]) => ({ name: alias, value: String(value) })),
    })
  }
  for (const profile of listOf(config, 'bfd-profiles')) convertProfile(profile, conversion)
  for (const [i, peer] of listOf(config, 'peers').entries()) convertPeer(peer, i, conversion, subject)
  for (const pool of listOf(config, 'address-pools')) convertPool(pool, conversion, subject)
}

function read(text: string, subject: string, conversion: Conversion): Fields | undefined {
  try {
    const config: unknown = parse(text)
    if (isFields(config)) return config
  } catch (error) {
    conversion.note(subject, `config: is no YAML: ${(error as Error).message.split('\n')[0]}`)
    return undefined
  }
  conversion.note(subject, 'config: is no mapping')
  return undefined
}

function convertProfile(profile: Fields, conversion: Conversion): void {
  conversion.add('BFDProfile', textOf(profile, 'name') ?? 'bfd', {
    receiveInterval: numberOf(profile, 'receive-interval'),
    transmitInterval: numberOf(profile, 'transmit-interval'),
    detectMultiplier: numberOf(profile, 'detect-multiplier'),
    echoInterval: numberOf(profile, 'echo-interval'),
    echoMode: profile['echo-mode'],
    passiveMode: profile['passive-mode'],
    minimumTtl: numberOf(profile, 'minimum-ttl'),
  })
}

function convertPeer(peer: Fields, index: number, conversion: Conversion, subject: string): void {
  const password = textOf(peer, 'password')
  const name = conversion.add('BGPPeer', `peer${index + 1}`, {
    myASN: numberOf(peer, 'my-asn'),
    peerASN: numberOf(peer, 'peer-asn'),
    peerAddress: textOf(peer, 'peer-address'),
    peerPort: numberOf(peer, 'peer-port'),
    sourceAddress: textOf(peer, 'source-address'),
    holdTime: textOf(peer, 'hold-time'),
    keepaliveTime: textOf(peer, 'keepalive-time'),
    routerID: textOf(peer, 'router-id'),
    bfdProfile: textOf(peer, 'bfd-profile'),
    ebgpMultiHop: peer['ebgp-multihop'],
    nodeSelectors: unlessEmpty(listOf(peer, 'node-selectors').map(selector)),
    password,
  })
  if (peer['peer-autodiscovery'] !== undefined) {
    conversion.note(
      subject,
      `peers[${index}].peer-autodiscovery: has no equal: write a BGPPeer for each router, with nodeSelectors`,
    )
  }
  if (password)
    conversion.note(
      `BGPPeer ${name}`,
      'its password is in plain text: put it into a Secret of type kubernetes.io/basic-auth, and name that in passwordSecret',
    )
}

function convertPool(pool: Fields, conversion: Conversion, subject: string): void {
  const old = textOf(pool, 'name') ?? 'pool'
  const name = conversion.add('IPAddressPool', old, {
    addresses: textsOf(pool, 'addresses'),
    autoAssign: pool['auto-assign'],
    avoidBuggyIPs: pool['avoid-buggy-ips'],
  })
  if (name !== old)
    conversion.note(
      subject,
      `address pool ${old}: is ${name} now, as objects may be called; Services that ask for it must say metallb.io/address-pool: ${name}`,
    )
  const protocol = textOf(pool, 'protocol')
  if (protocol === 'layer2') conversion.add('L2Advertisement', name, { ipAddressPools: [name] })
  else if (protocol === 'bgp') convertAdvertisements(pool, name, conversion)
  else
    conversion.note(
      subject,
      `address pool ${name}: protocol "${protocol ?? ''}" is neither layer2 nor bgp: nobody will announce it`,
    )
}

function convertAdvertisements(pool: Fields, name: string, conversion: Conversion): void {
  const given = listOf(pool, 'bgp-advertisements')
  for (const ad of given.length > 0 ? given : [{}]) {
    conversion.add('BGPAdvertisement', name, {
      ipAddressPools: [name],
      aggregationLength: numberOf(ad, 'aggregation-length'),
      aggregationLengthV6: numberOf(ad, 'aggregation-length-v6'),
      localPref: numberOf(ad, 'localpref'),
      communities: unlessEmpty(textsOf(ad, 'communities')),
      peers: unlessEmpty(textsOf(ad, 'peers')),
    })
  }
}

/** `match-labels` and `match-expressions`, as they were spelt. */
function selector(fields: Fields): Fields {
  const labels = fieldsOf(fields, 'match-labels')
  const expressions = listOf(fields, 'match-expressions')
  return {
    ...(Object.keys(labels).length > 0 && { matchLabels: labels }),
    ...(expressions.length > 0 && { matchExpressions: expressions }),
  }
}
