/** Cilium's BGP control plane: CiliumBGPPeeringPolicy, and the resources that followed it. */
import { type Conversion, selectorOf, unlessEmpty } from './conversion.js'
import { isServiceAdvertisement } from './cilium-pools.js'
import { type Fields, fieldsOf, listOf, numberOf, type RawObject, textOf, textsOf } from './objects.js'

/** Converts a CiliumBGPPeeringPolicy (v1 of the control plane). */
export function convertPeeringPolicy({ name, spec }: RawObject, conversion: Conversion): void {
  const subject = `CiliumBGPPeeringPolicy ${name}`
  const nodes = selectorOf(spec['nodeSelector'])
  for (const router of listOf(spec, 'virtualRouters')) {
    if (router['exportPodCIDR'] === true) conversion.note(subject, 'exportPodCIDR: Pod networks are not announced here')
    const peers = listOf(router, 'neighbors').map(neighbor =>
      convertNeighbor(subject, name, router, neighbor, nodes, conversion),
    )
    const selector = selectorOf(router['serviceSelector'])
    if (router['serviceSelector'] === undefined) {
      conversion.note(
        subject,
        'a virtual router without serviceSelector announces no Services, so it gets no BGPAdvertisement',
      )
      continue
    }
    // Cilium's idiom for "all": an expression that nothing contradicts.
    const all = selector?.matchExpressions?.every(({ operator }) => operator === 'NotIn') && !selector.matchLabels
    conversion.add('BGPAdvertisement', name, {
      peers: unlessEmpty(peers),
      serviceSelectors: unlessEmpty(selector && !all ? [selector] : []),
      nodeSelectors: unlessEmpty(nodes ? [nodes] : []),
    })
  }
}

function convertNeighbor(
  subject: string,
  name: string,
  router: Fields,
  neighbor: Fields,
  nodes: ReturnType<typeof selectorOf>,
  conversion: Conversion,
): string {
  const peerAddress = (textOf(neighbor, 'peerAddress') ?? '').replace(/\/\d+$/, '')
  const peer = conversion.add('BGPPeer', `${name}-${peerAddress}`, {
    myASN: numberOf(router, 'localASN'),
    ...peerASN(neighbor, `neighbor ${peerAddress}`, subject, conversion),
    peerAddress,
    peerPort: numberOf(neighbor, 'peerPort'),
    ...times(neighbor),
    ...families(neighbor),
    ...session(neighbor, numberOf(neighbor, 'eBGPMultihopTTL'), subject, conversion),
    nodeSelectors: unlessEmpty(nodes ? [nodes] : []),
  })
  if (neighbor['advertisedPathAttributes'] !== undefined) {
    conversion.note(
      subject,
      `advertisedPathAttributes of ${peerAddress}: write their communities and localPreference into a BGPAdvertisement with peers: [${peer}]`,
    )
  }
  return peer
}

/** 0, or no number at all, is any AS. */
function peerASN(fields: Fields, peer: string, subject: string, conversion: Conversion): Fields {
  const number = numberOf(fields, 'peerASN') ?? 0
  if (number !== 0) return { peerASN: number }
  conversion.note(
    subject,
    `peerASN of ${peer}: any AS became dynamicASN: external, any but ours; write internal if it is ours`,
  )
  return { dynamicASN: 'external' }
}

/** Both families over one session, where the peer asks for both by name. */
function families(fields: Fields): Fields {
  const wanted = listOf(fields, 'families').map(family => textOf(family, 'afi'))
  return wanted.includes('ipv4') && wanted.includes('ipv6') ? { dualStackAddressFamily: true } : {}
}

const seconds = (fields: Fields, name: string): string | undefined => {
  const number = numberOf(fields, name)
  return number === undefined ? undefined : `${number}s`
}

const times = (fields: Fields): Fields => ({
  holdTime: seconds(fields, 'holdTimeSeconds'),
  keepaliveTime: seconds(fields, 'keepAliveTimeSeconds'),
  connectTime: seconds(fields, 'connectRetryTimeSeconds'),
})

/** What both generations say of a session in the same words. */
function session(fields: Fields, multihop: number | undefined, subject: string, conversion: Conversion): Fields {
  const secret = textOf(fields, 'authSecretRef')
  if (secret !== undefined) {
    conversion.note(
      subject,
      `Secret ${secret}: copy it into the namespace of the resources, as type kubernetes.io/basic-auth (its key is password in both)`,
    )
  }
  return {
    ...(secret !== undefined && { passwordSecret: { name: secret } }),
    ...(multihop !== undefined && multihop > 1 && { ebgpMultiHop: true }),
    ...(fieldsOf(fields, 'gracefulRestart')['enabled'] === true && { enableGracefulRestart: true }),
  }
}

/** Converts CiliumBGPClusterConfigs with the peer configurations and advertisements that they lead to. */
export function convertClusterConfigs(objects: readonly RawObject[], conversion: Conversion): void {
  const ofKind = (kind: string): readonly RawObject[] => objects.filter(object => object.kind === kind)
  const profiles = new Map(ofKind('CiliumBGPPeerConfig').map(object => [object.name, object]))
  const advertisements = ofKind('CiliumBGPAdvertisement')
  const reached = new Map<RawObject, string[]>()
  for (const config of ofKind('CiliumBGPClusterConfig')) {
    const nodes = selectorOf(config.spec['nodeSelector'])
    for (const instance of listOf(config.spec, 'bgpInstances')) {
      for (const peer of listOf(instance, 'peers')) {
        const profile = profiles.get(textOf(fieldsOf(peer, 'peerConfigRef'), 'name') ?? '')
        const name = convertClusterPeer(config, instance, peer, profile, nodes, conversion)
        if (name === undefined) continue
        for (const each of advertisementsOf(profile, advertisements))
          reached.set(each, [...(reached.get(each) ?? []), name])
      }
    }
  }
  for (const object of advertisements) convertAdvertisement(object, reached.get(object) ?? [], conversion)
  for (const { kind, name } of ofKind('CiliumBGPNodeConfigOverride')) {
    conversion.note(
      `${kind} ${name}`,
      'has no equal: write a BGPPeer with nodeSelectors for the node, and routerID or sourceAddress in it',
    )
  }
}

function convertClusterPeer(
  config: RawObject,
  instance: Fields,
  peer: Fields,
  profile: RawObject | undefined,
  nodes: ReturnType<typeof selectorOf>,
  conversion: Conversion,
): string | undefined {
  const subject = `CiliumBGPClusterConfig ${config.name}`
  const own = textOf(peer, 'name') ?? textOf(peer, 'peerAddress') ?? 'peer'
  const discovery = fieldsOf(peer, 'autoDiscovery')
  if (textOf(discovery, 'mode') === 'DefaultGateway') {
    conversion.note(
      subject,
      `peer ${own}: autoDiscovery of the default gateway has no equal: write a BGPPeer with the router's peerAddress, and nodeSelectors where nodes have different ones`,
    )
    return undefined
  }
  const spec = profile?.spec ?? {}
  const wanted = textOf(fieldsOf(peer, 'peerConfigRef'), 'name')
  if (wanted !== undefined && !profile)
    conversion.note(
      subject,
      `there is no CiliumBGPPeerConfig ${wanted} among the objects: its timers and Secret are left out`,
    )
  return conversion.add('BGPPeer', `${config.name}-${own}`, {
    myASN: numberOf(instance, 'localASN'),
    ...peerASN(peer, `peer ${own}`, subject, conversion),
    peerAddress: textOf(peer, 'peerAddress'),
    interface: textOf(fieldsOf(discovery, 'unnumbered'), 'interface'),
    peerPort: numberOf(fieldsOf(spec, 'transport'), 'peerPort'),
    ...times(fieldsOf(spec, 'timers')),
    ...session(spec, numberOf(spec, 'ebgpMultihop'), subject, conversion),
    ...families(spec),
    nodeSelectors: unlessEmpty(nodes ? [nodes] : []),
  })
}

/** A peer configuration picks advertisements by label, in each of its families. */
function advertisementsOf(profile: RawObject | undefined, all: readonly RawObject[]): readonly RawObject[] {
  const selectors = listOf(profile?.spec ?? {}, 'families').flatMap(
    family => selectorOf(family['advertisements']) ?? [],
  )
  return all.filter(({ labels }) =>
    selectors.some(({ matchLabels = {} }) =>
      Object.entries(matchLabels).every(([key, value]) => labels[key] === value),
    ),
  )
}

function convertAdvertisement({ name, spec }: RawObject, peers: readonly string[], conversion: Conversion): void {
  const subject = `CiliumBGPAdvertisement ${name}`
  for (const advertisement of listOf(spec, 'advertisements')) {
    if (!isServiceAdvertisement(advertisement)) {
      const type = textOf(advertisement, 'advertisementType') ?? 'unknown'
      conversion.note(
        subject,
        type === 'Service'
          ? 'ClusterIP and ExternalIP addresses are not announced here'
          : `${type}: only Services are announced here`,
      )
      continue
    }
    const attributes = fieldsOf(advertisement, 'attributes')
    const communities = fieldsOf(attributes, 'communities')
    const selector = selectorOf(advertisement['selector'])
    const all = selector?.matchExpressions?.every(({ operator }) => operator === 'NotIn') && !selector.matchLabels
    conversion.add('BGPAdvertisement', name, {
      peers: unlessEmpty(peers),
      serviceSelectors: unlessEmpty(selector && !all ? [selector] : []),
      localPref: numberOf(attributes, 'localPreference'),
      communities: unlessEmpty([
        ...textsOf(communities, 'standard'),
        ...textsOf(communities, 'wellKnown').map(known => WELL_KNOWN[known] ?? known),
        ...textsOf(communities, 'large').map(text => `large:${text}`),
      ]),
    })
    if (peers.length === 0)
      conversion.note(
        subject,
        'no peer configuration selects it: it is announced to every peer now; name them in peers',
      )
  }
}

/** RFC 1997, RFC 3765, RFC 7999, RFC 8326. */
const WELL_KNOWN: Readonly<Record<string, string>> = {
  internet: '0:0',
  'planned-shut': '65535:0',
  'accept-own': '65535:1',
  blackhole: '65535:666',
  'no-export': '65535:65281',
  'no-advertise': '65535:65282',
  'local-as': '65535:65283',
  'no-peer': '65535:65284',
}
