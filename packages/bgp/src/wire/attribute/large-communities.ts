import { readUint32, writeUint32 } from '../octets.js'
import { checkMultiple, OPTIONAL_TRANSITIVE, type AttributeCodec } from './codec.js'

/** A BGP Large Community, RFC 8092 section 3. */
export interface LargeCommunity {
  readonly globalAdministrator: number
  readonly localData1: number
  readonly localData2: number
}

const UNIT = 12

/** Each community once, where it stood first: RFC 8092 section 5 has neither end of a session keep the others. */
function unique(list: readonly LargeCommunity[]): readonly LargeCommunity[] {
  if (list.length < 2) return list
  const byText = new Map<string, LargeCommunity>()
  for (const community of list) {
    const text = `${community.globalAdministrator}:${community.localData1}:${community.localData2}`
    if (!byText.has(text)) byText.set(text, community)
  }
  return byText.size < list.length ? [...byText.values()] : list
}

/** LARGE_COMMUNITY, RFC 8092. */
export const largeCommunities: AttributeCodec<readonly LargeCommunity[]> = {
  code: 32,
  name: 'LARGE_COMMUNITY',
  flags: OPTIONAL_TRANSITIVE,
  disposition: 'treat-as-withdraw',
  decode(value) {
    checkMultiple(value, UNIT)
    const list: LargeCommunity[] = []
    for (let at = 0; at < value.length; at += UNIT) {
      const globalAdministrator = readUint32(value, at)
      list.push({ globalAdministrator, localData1: readUint32(value, at + 4), localData2: readUint32(value, at + 8) })
    }
    return unique(list)
  },
  length: list => UNIT * unique(list).length,
  encode(list, into) {
    let at = 0
    for (const { globalAdministrator, localData1, localData2 } of unique(list)) {
      at = writeUint32(into, at, globalAdministrator)
      at = writeUint32(into, at, localData1)
      at = writeUint32(into, at, localData2)
    }
  },
}
