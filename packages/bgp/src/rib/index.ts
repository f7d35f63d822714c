/**
 * The three routing information bases of RFC 4271 section 3.2 and the decision process of section 9.1.2, without I/O.
 *
 * ```ts
 * import { AdjRibOut, prefixKey } from '@typemetal/bgp/rib'
 *
 * const out = new AdjRibOut({ fourOctetAs: true, internal: false })
 * const key = prefixKey('ipv4-unicast', { length: 24, prefix: Uint8Array.of(192, 0, 2) })
 * out.set(key, { origin: 0, asPath: [{ type: 2, asns: [64512] }] }, Uint8Array.of(10, 0, 0, 1))
 * for (let update = out.next(); update; update = out.next()) console.log(update) // octets to send
 * ```
 *
 * @packageDocumentation
 */
export { AdjRibIn } from './adj-rib-in.js'
export { AdjRibOut } from './adj-rib-out.js'
export { AttributeTable, type AttributeSet } from './attribute-table.js'
export { neighborAs, selectPaths, type MultipathOptions, type Path, type PathSource } from './decision.js'
export { LocRib } from './loc-rib.js'
export { keyFamily, keyNlri, prefixKey, type PrefixKey } from './prefix-key.js'
