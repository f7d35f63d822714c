/**
 * What a cluster says: `metallb.io` and Kubernetes resources, their validation into one {@link Config}, and the stores
 * they come from.
 *
 * @packageDocumentation
 */
export type * from './resources/core.js'
export type * from './resources/metallb.js'
export type * from './config/config.js'
export type { FieldFault } from './config/field-fault.js'
export * from './store/store.js'
export { type Address, ADDRESS_BITS, addressOf, formatAddress, parseAddress } from './address/address.js'
export { blockContains, blockOf, blocksOverlap, coveringBlocks, parseBlocks, parseCIDR } from './address/block.js'
export { isBuggyAddress, type Located, poolContains, poolHolding, poolOf } from './address/pool-of.js'
export { type Labels, matchesAny, matchesSelector } from './selector/match.js'
export { checkSelector, checkSelectorDuplicates, checkSelectors, selectorText } from './selector/check.js'
export type { FindOrigin, Origin } from './config/origin.js'
export { type BuildResult, buildConfig } from './config/build.js'
export type { BuildOptions } from './config/inputs.js'
export { type ConfigKinds, configResources, type ConfigResources, type ObjectsOf } from './config/resources.js'
export { formatConfigError, summarizeConfigErrors } from './config/error-list.js'
export { localPrefConflicts } from './config/local-pref.js'
export { parseCommunity, type CommunityResult } from './config/community.js'
export { parseDuration } from './config/duration.js'
export { DEFINITIONS, isMetalLBKind, type MetalLBKind, versionOf } from './schema/definitions.js'
export { apiVersionOf, objectSchema } from './schema/definition.js'
export type { PrinterColumn, ResourceDefinition, ResourceVersion } from './schema/definition.js'
export type { Rule, Schema } from './schema/schema.js'
export type { SchemaFault } from './schema/check.js'
export { isFields } from './schema/plain.js'
export { type Review, type ReviewOptions, reviewObject } from './schema/review.js'
export { type AnyPeer, convertBGPPeer, NEWER_FIELDS_ANNOTATION } from './crd/bgp-peer-conversion.js'
export {
  type ConversionService,
  crdFiles,
  type CustomResourceDefinition,
  customResourceDefinitions,
  type CustomResourceVersion,
  type WebhookConversion,
} from './crd/custom-resource-definition.js'
export type { OpenAPISchema } from './crd/openapi.js'
export { KIND_NAMES, type KindInfo, kindOf, KINDS, objectKey, referenceTo } from './store/kinds.js'
export { DirectoryStore, type DirectoryStoreOptions } from './store/directory/directory-store.js'
export { readEvents, type RecordedEvent } from './store/directory/event-log.js'
export type { Manifest, ManifestObject, ManifestOptions, RejectedObject } from './store/directory/manifest.js'
export { parseManifest } from './store/directory/manifest.js'
export { ChangeQueue } from './store/change-queue.js'
export { changedKeys, LayeredMap } from './store/layered-map.js'
export { ObjectCache, type Update } from './store/object-cache.js'
export { manifestResources } from './store/directory/manifest-resources.js'
export { openStore, type OpenStoreOptions } from './store/open-store.js'
export { ApiError, type ApiErrorDetails, type Failure, failureOf } from './store/kubernetes/api-error.js'
export {
  DEFAULT_EVENT_LIMITS,
  EventCorrelator,
  type EventLimits,
  type EventRecord,
} from './store/kubernetes/event-correlator.js'
export { checkLimits, type ClientLimits, DEFAULT_LIMITS, type Milliseconds } from './store/kubernetes/limits.js'
export { type Outcome, type RestartReason, type Resumption, resumptionOf } from './store/kubernetes/resume.js'
export type { ClientMetrics, RecordResult, WatchEventType } from './store/kubernetes/metrics.js'
export type { WithStatus } from './store/kubernetes/status-writer.js'
export type { ApiRequest } from './store/kubernetes/transport.js'
export type { KubernetesStore, KubernetesStoreOptions } from './store/kubernetes/kubernetes-store.js'
export { formatJSON, parseJSON } from './store/kubernetes/bigint-json.js'
