/**
 * The three routing information bases of RFC 4271 section 3.2 and the decision process of section 9.1.2, in typed columns, without I/O.
 *
 * ```ts
 * import { AdjRibIn, LocRib } from '@typemetal/bgp/rib'
 *
 * const rib = new LocRib()
 * rib.subscribe((family, prefix) => console.log(family, rib.family(family).prefixes.nlri(prefix)))
 * const peer = new AdjRibIn(rib, { internal: false, bgpIdentifier: 0x0a000001, address: Uint8Array.of(10, 0, 0, 1) })
 * const paths = rib.family('ipv4-unicast')
 * const prefix = paths.prefixes.intern(Uint8Array.of(192, 0, 2), 0, 24)
 * const attributes = { origin: 0, asPath: [{ type: 2, asns: [64512] }] } as const
 * const set = rib.attributes.internValues(attributes, Uint8Array.of(10, 0, 0, 1))
 * peer.announce(paths, prefix, 0, set, set)
 * ```
 *
 * @packageDocumentation
 */
export { AdjRibIn } from './adj-rib-in.js'
export { AdjRibOut, type AdjRibOutOptions, type Exporter, type PathTaker } from './adj-rib-out.js'
export { AttributeTable } from './attribute-table.js'
export { type MultipathOptions } from './decision.js'
export { LocRib, type LocRibOptions, type RouteListener } from './loc-rib.js'
export { FamilyPaths, PathFlag, Sources } from './paths.js'
export { PrefixTable } from './prefix-table.js'
export { rewriteAttributes, type Rewrite } from './rewrite.js'
export { PAGE_MASK, type Row } from './rows.js'
export type { Packed, Sent, Told } from './sent.js'
export type { PathSource } from './source.js'
export { UpdatePacker, type PackedAttributes, type UpdateTaker } from './update-packer.js'
