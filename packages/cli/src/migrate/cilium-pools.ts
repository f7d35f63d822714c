/** Cilium's LB-IPAM pools and layer-2 announcements. */
import { type Conversion, selectorOf, unlessEmpty } from './conversion.js'
import { fieldsOf, listOf, type RawObject, textOf, textsOf } from './objects.js'

/** Labels by which Cilium's selectors name a Service's namespace and name, which are no labels. */
const NAMESPACE_KEY = 'io.kubernetes.service.namespace'
const NAME_KEY = 'io.kubernetes.service.name'

/** Converts a CiliumLoadBalancerIPPool. */
export function convertPool({ name, spec }: RawObject, conversion: Conversion): void {
  const subject = `CiliumLoadBalancerIPPool ${name}`
  const blocks = [...listOf(spec, 'blocks'), ...listOf(spec, 'cidrs')]
  const addresses = blocks.flatMap(block => {
    const [cidr, start, stop] = [textOf(block, 'cidr'), textOf(block, 'start'), textOf(block, 'stop')]
    if (cidr !== undefined) return cidr.includes('/') ? [cidr] : [`${cidr}/${cidr.includes(':') ? 128 : 32}`]
    return start === undefined ? [] : [`${start}-${stop ?? start}`]
  })
  const { namespaces, selector } = splitSelector(spec['serviceSelector'], subject, conversion)
  const pinned = namespaces.length > 0 || selector !== undefined
  conversion.add('IPAddressPool', name, {
    addresses,
    // A pool that is disabled gives nothing new; one that nobody is given by itself comes closest.
    ...(spec['disabled'] === true && { autoAssign: false }),
    ...(pinned && {
      serviceAllocation: {
        priority: 50,
        ...(namespaces.length > 0 && { namespaces }),
        ...(selector && { serviceSelectors: [selector] }),
      },
    }),
  })
  if (spec['disabled'] === true)
    conversion.note(subject, 'disabled: became autoAssign: false, so Services can still ask for it by name')
  if (textOf(spec, 'allowFirstLastIPs') === 'No') {
    conversion.note(
      subject,
      'allowFirstLastIPs: No has no exact equal: avoidBuggyIPs leaves out .0 and .255 only; write a range without the first and last address',
    )
  }
}

/** Converts a CiliumL2AnnouncementPolicy. */
export function convertPolicy({ name, spec }: RawObject, conversion: Conversion): void {
  const subject = `CiliumL2AnnouncementPolicy ${name}`
  const { namespaces, selector } = splitSelector(spec['serviceSelector'], subject, conversion)
  if (namespaces.length > 0)
    conversion.note(
      subject,
      `serviceSelector by namespace (${namespaces.join(', ')}) has no equal in an advertisement: give those namespaces a pool of their own, and name it in ipAddressPools`,
    )
  const node = selectorOf(spec['nodeSelector'])
  const interfaces = textsOf(spec, 'interfaces')
  const plain = interfaces.flatMap(plainName)
  if (plain.length < interfaces.length) {
    conversion.note(
      subject,
      `interfaces ${interfaces.join(', ')}: regular expressions have no equal: name the interfaces, or leave others out by the exclude list`,
    )
  }
  if (spec['loadBalancerIPs'] !== true)
    conversion.note(subject, 'announces no LoadBalancer addresses, so nothing of it is left')
  else {
    conversion.add('L2Advertisement', name, {
      nodeSelectors: unlessEmpty(node ? [node] : []),
      serviceSelectors: unlessEmpty(selector ? [selector] : []),
      interfaces: unlessEmpty(plain.length === interfaces.length ? plain : []),
    })
  }
  if (spec['externalIPs'] === true) conversion.note(subject, 'externalIPs: have no equal: use LoadBalancer Services')
}

/** `^eth0$` or `eth0`: a regular expression that is only a name. */
function plainName(pattern: string): readonly string[] {
  const [, name] = /^\^?([\w-]+)\$?$/.exec(pattern) ?? []
  return name === undefined ? [] : [name]
}

/** Takes the pseudo labels out of a selector of Services. */
function splitSelector(
  value: unknown,
  subject: string,
  conversion: Conversion,
): { readonly namespaces: readonly string[]; readonly selector: ReturnType<typeof selectorOf> } {
  const selector = selectorOf(value)
  if (!selector) return { namespaces: [], selector: undefined }
  const { [NAMESPACE_KEY]: namespace, [NAME_KEY]: named, ...labels } = selector.matchLabels ?? {}
  const expressions = selector.matchExpressions ?? []
  const byNamespace = expressions.filter(({ key, operator }) => key === NAMESPACE_KEY && operator === 'In')
  const others = expressions.filter(({ key }) => key !== NAMESPACE_KEY && key !== NAME_KEY)
  if (named !== undefined || expressions.some(({ key }) => key === NAME_KEY)) {
    conversion.note(
      subject,
      `a selector by Service name (${NAME_KEY}) has no equal: label the Service, or let it ask for the pool (metallb.io/address-pool)`,
    )
  }
  if (expressions.some(({ key, operator }) => key === NAMESPACE_KEY && operator !== 'In')) {
    conversion.note(
      subject,
      `a selector by namespace with another operator than In has no equal: use namespaceSelectors`,
    )
  }
  return {
    namespaces: [...(namespace === undefined ? [] : [namespace]), ...byNamespace.flatMap(({ values = [] }) => values)],
    selector: selectorOf({ matchLabels: labels, matchExpressions: others }),
  }
}

/** Whether a Cilium object has to do with Services' addresses at all. */
export const isServiceAdvertisement = (advertisement: Readonly<Record<string, unknown>>): boolean =>
  textOf(advertisement, 'advertisementType') === 'Service' &&
  textsOf(fieldsOf(advertisement, 'service'), 'addresses').includes('LoadBalancerIP')
