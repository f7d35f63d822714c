/** A Lease of `coordination.k8s.io/v1`: who leads, and until when the others keep still. */
import type { KubernetesObject } from '../resources/core.js'

/** What a Lease says. */
export interface LeaseSpec {
  /** Who holds it; empty or absent: nobody. */
  readonly holderIdentity?: string
  /** Seconds that others wait after the last change before they take it. */
  readonly leaseDurationSeconds?: number
  /** When the holder got it: RFC 3339 with microseconds. */
  readonly acquireTime?: string
  /** When the holder last said that it is alive: RFC 3339 with microseconds. */
  readonly renewTime?: string
  /** How often it has gone from one holder to another. */
  readonly leaseTransitions?: number
}

/** A Lease object. */
export interface Lease extends KubernetesObject {
  readonly spec?: LeaseSpec
}

/** Reads and writes the Leases of one namespace, with optimistic locking. */
export interface LeaseClient {
  /** @returns `undefined` when there is none of that name. @throws when the server cannot be asked */
  read(name: string, signal: AbortSignal): Promise<Lease | undefined>
  /**
   * Creates the Lease when it has no `metadata.resourceVersion`, else replaces it.
   *
   * @throws {ConflictError} somebody else was quicker
   */
  write(lease: Lease, signal: AbortSignal): Promise<Lease>
}
