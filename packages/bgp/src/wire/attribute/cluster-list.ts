import { readUint32List, writeUint32List } from '../octets.js'
import { checkMultiple, isInternal, OPTIONAL_NON_TRANSITIVE, type AttributeCodec } from './codec.js'

/** CLUSTER_LIST, RFC 4456 section 8: the clusters the route was reflected through. */
export const clusterList: AttributeCodec<readonly number[]> = {
  code: 10,
  name: 'CLUSTER_LIST',
  flags: OPTIONAL_NON_TRANSITIVE,
  disposition: 'treat-as-withdraw',
  accepts: isInternal,
  decode(value) {
    checkMultiple(value, 4)
    return readUint32List(value)
  },
  length: list => 4 * list.length,
  encode(list, into) {
    writeUint32List(into, list)
  },
}
