import { column, type ResourceDefinition } from './definition.js'
import { empty, type Rule, type Schema, strings, text } from './schema.js'

const IMMUTABLE: Rule = {
  rule: 'self == oldSelf',
  message: 'Value is immutable',
  holds: (self: string, oldSelf: string) => self === oldSelf,
}
const immutable = (description: string): Schema => ({ ...text(description), 'x-kubernetes-validations': [IMMUTABLE] })

/** Whose status it is; an object that is about something else is another object. */
const SUBJECT = {
  node: immutable('Node that announces the Service.'),
  serviceName: immutable('Name of the Service.'),
  serviceNamespace: immutable('Namespace of the Service.'),
} as const
const NO_SPEC = empty('Has no fields: only the status says something.')
const SERVICE_COLUMNS = [
  column('Service Name', 'string', '.status.serviceName'),
  column('Service Namespace', 'string', '.status.serviceNamespace'),
] as const

/** ServiceL2Status: who announces a Service by ARP and NDP. Written by that speaker. */
export const SERVICE_L2_STATUS = {
  kind: 'ServiceL2Status',
  plural: 'servicel2statuses',
  versions: [
    {
      name: 'v1beta1',
      description: 'Who announces a Service by ARP and NDP.',
      spec: NO_SPEC,
      status: {
        type: 'object',
        description: 'The announcement.',
        properties: {
          ...SUBJECT,
          interfaces: {
            type: 'array',
            description: 'Interfaces that it is announced from. Absent: all.',
            items: { type: 'object', properties: { name: text('Name of the interface.') } },
          },
        },
      },
      columns: [column('Allocated Node', 'string', '.status.node'), ...SERVICE_COLUMNS],
    },
  ],
} as const satisfies ResourceDefinition

/** ServiceBGPStatus: to which peers a node announces a Service. Written by that node's speaker. */
export const SERVICE_BGP_STATUS = {
  kind: 'ServiceBGPStatus',
  plural: 'servicebgpstatuses',
  versions: [
    {
      name: 'v1beta1',
      description: 'To which BGP peers a node announces a Service.',
      spec: NO_SPEC,
      status: {
        type: 'object',
        description: 'The announcement.',
        properties: {
          ...SUBJECT,
          peers: strings('BGPPeers that the Service is to be announced to, whether or not their sessions stand.'),
        },
      },
      columns: [column('Node', 'string', '.status.node'), ...SERVICE_COLUMNS],
    },
  ],
} as const satisfies ResourceDefinition
