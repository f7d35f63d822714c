import { stringify } from 'yaml'
import {
  GROUP,
  objectSchema,
  type PrinterColumn,
  type ResourceDefinition,
  type ResourceVersion,
} from '../schema/definition.js'
import { DEFINITIONS } from '../schema/definitions.js'
import { type OpenAPISchema, toOpenAPI } from './openapi.js'

/** apiextensions.k8s.io/v1 CustomResourceDefinition, as far as we write one. */
export interface CustomResourceDefinition {
  readonly apiVersion: 'apiextensions.k8s.io/v1'
  readonly kind: 'CustomResourceDefinition'
  readonly metadata: { readonly name: string }
  readonly spec: {
    readonly group: string
    readonly names: {
      readonly kind: string
      readonly listKind: string
      readonly plural: string
      readonly singular: string
    }
    readonly scope: 'Namespaced'
    readonly conversion?: WebhookConversion
    readonly versions: readonly CustomResourceVersion[]
  }
}

/** `spec.versions[]`. */
export interface CustomResourceVersion {
  readonly name: string
  readonly served: true
  readonly storage: boolean
  readonly deprecated?: true
  readonly deprecationWarning?: string
  readonly additionalPrinterColumns?: readonly PrinterColumn[]
  readonly schema: { readonly openAPIV3Schema: OpenAPISchema }
  readonly subresources: { readonly status: object }
}

/** `spec.conversion`: the API server asks a webhook for objects in another version. The webhook's owner adds the CA that it trusts. */
export interface WebhookConversion {
  readonly strategy: 'Webhook'
  readonly webhook: {
    readonly clientConfig: {
      readonly service: { readonly name: string; readonly namespace: string; readonly path: string }
    }
    readonly conversionReviewVersions: readonly string[]
  }
}

/** Where the webhook that converts objects is reached. */
export interface ConversionService {
  /** Service in front of the controller. @default metallb-webhook-service */
  readonly name?: string
  /** @default metallb-system */
  readonly namespace?: string
}

/** The CustomResourceDefinitions of all `metallb.io` resources, in the order of their names. */
export function customResourceDefinitions(service: ConversionService = {}): readonly CustomResourceDefinition[] {
  return Object.values(DEFINITIONS)
    .map(definition => customResourceDefinition(definition, service))
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
}

/** YAML files of {@link customResourceDefinitions}, text by name. The same on every machine and at any time. */
export function crdFiles(service: ConversionService = {}): ReadonlyMap<string, string> {
  return new Map(customResourceDefinitions(service).map(crd => [`${GROUP}_${crd.spec.names.plural}.yaml`, yamlOf(crd)]))
}

/** Nothing is said by reference, and lines are as long as they are: a difference between two versions is one of content. */
const yamlOf = (crd: CustomResourceDefinition): string =>
  stringify(crd, { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false })

function customResourceDefinition(
  { kind, plural, versions }: ResourceDefinition,
  service: ConversionService,
): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      scope: 'Namespaced',
      ...(versions.length > 1 && { conversion: conversion(service) }),
      versions: versions.map((version, i) => customResourceVersion(version, i === 0)),
    },
  }
}

function conversion({
  name = 'metallb-webhook-service',
  namespace = 'metallb-system',
}: ConversionService): WebhookConversion {
  return {
    strategy: 'Webhook',
    webhook: {
      clientConfig: { service: { name, namespace, path: '/convert' } },
      // Versions of the review, not of the resource: MetalLB's manifests have the resource's here, of which only v1beta1 exists.
      conversionReviewVersions: ['v1', 'v1beta1'],
    },
  }
}

function customResourceVersion(version: ResourceVersion, storage: boolean): CustomResourceVersion {
  const { name, deprecationWarning, columns } = version
  return {
    name,
    served: true,
    storage,
    ...(deprecationWarning !== undefined && { deprecated: true, deprecationWarning }),
    ...(columns.length > 0 && { additionalPrinterColumns: columns }),
    schema: { openAPIV3Schema: toOpenAPI(objectSchema(version)) },
    subresources: { status: {} },
  }
}
