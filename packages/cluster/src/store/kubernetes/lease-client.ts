import type { Lease, LeaseClient } from '../../leader/lease.js'
import { NotFoundError } from '../store.js'
import type { ApiTransport } from './transport.js'

const GROUP = '/apis/coordination.k8s.io/v1'

/** Leases of one namespace on the Kubernetes API. */
export class KubernetesLeases implements LeaseClient {
  readonly #transport: () => ApiTransport
  readonly #path: string

  /** @param transport throws while there is no connection yet */
  constructor(transport: () => ApiTransport, namespace: string) {
    this.#transport = transport
    this.#path = `${GROUP}/namespaces/${encodeURIComponent(namespace)}/leases`
  }

  async read(name: string, signal: AbortSignal): Promise<Lease | undefined> {
    try {
      return (await this.#transport().send({ method: 'GET', path: this.#pathOf(name), signal })) as Lease
    } catch (error) {
      if (error instanceof NotFoundError) return undefined
      throw error
    }
  }

  async write(lease: Lease, signal: AbortSignal): Promise<Lease> {
    const { name, resourceVersion } = lease.metadata
    const place =
      resourceVersion === undefined
        ? ({ method: 'POST', path: this.#path } as const)
        : ({ method: 'PUT', path: this.#pathOf(name) } as const)
    // A leader that waits behind a storm of its own writes would lose what it leads.
    return (await this.#transport().send({ ...place, body: lease, urgent: true, signal })) as Lease
  }

  #pathOf(name: string): string {
    return `${this.#path}/${encodeURIComponent(name)}`
  }
}
