import { type Schema, STRINGS } from '../../schema/schema.js'
import type { Kind } from '../store.js'

/** What the API server would see to before we read an object: the types of the fields that we use. Other fields may be anything. */
const TEXT: Schema = { type: 'string' }
const TEXTS: Schema = { type: 'object', additionalProperties: TEXT }
const object = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  ...(required.length > 0 && { required }),
})
const list = (items: Schema): Schema => ({ type: 'array', items })
const integer = (minimum: number, maximum: number): Schema => ({ type: 'integer', minimum, maximum })

/** `metadata` of every object. */
export const METADATA: Schema = object(
  {
    metadata: object({ name: TEXT, namespace: TEXT, labels: TEXTS, annotations: TEXTS }, ['name']),
  },
  ['metadata'],
)

const PORT = object({ name: TEXT, protocol: TEXT, port: integer(1, 65_535), nodePort: integer(0, 65_535) }, ['port'])
const INGRESS = object({ ip: TEXT, hostname: TEXT, ipMode: TEXT })
const FAMILY: Schema = { type: 'string', enum: ['IPv4', 'IPv6'] }
const POLICY: Schema = { type: 'string', enum: ['SingleStack', 'PreferDualStack', 'RequireDualStack'] }

/** The kinds whose objects are not checked by `buildConfig`. */
export const SHAPES: { readonly [K in Kind]?: Schema } = {
  Service: object({
    spec: object({
      type: { type: 'string', enum: ['ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'] },
      loadBalancerClass: TEXT,
      loadBalancerIP: TEXT,
      clusterIP: TEXT,
      clusterIPs: STRINGS,
      ipFamilyPolicy: POLICY,
      ipFamilies: list(FAMILY),
      ports: list(PORT),
      externalTrafficPolicy: TEXT,
      selector: TEXTS,
    }),
    status: object({ loadBalancer: object({ ingress: list(INGRESS) }) }),
  }),
  EndpointSlice: object({
    addressType: TEXT,
    endpoints: list(
      object({
        addresses: STRINGS,
        nodeName: TEXT,
        conditions: object({
          ready: { type: 'boolean' },
          serving: { type: 'boolean' },
          terminating: { type: 'boolean' },
        }),
      }),
    ),
  }),
  Node: object({
    spec: object({ taints: list(object({ key: TEXT, value: TEXT, effect: TEXT }, ['key', 'effect'])) }),
    status: object({
      conditions: list(object({ type: TEXT, status: TEXT }, ['type', 'status'])),
      addresses: list(object({ type: TEXT, address: TEXT }, ['type', 'address'])),
    }),
  }),
  Secret: object({ type: TEXT, data: TEXTS, stringData: TEXTS }),
  ConfigMap: object({ data: TEXTS }),
}
